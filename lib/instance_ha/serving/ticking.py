"""The tick that a new instance gives itself."""

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def tick(application: Application, token: bytes | None) -> int:
    """Call a scheduled function as its scheduler does; returns the code of its answer."""
    headers = [("Authorization", f"Bearer {token.decode()}")] if token else []
    environ = EnvironBuilder(method="POST", path="/", headers=headers).get_environ()
    _, status, _ = run_wsgi_app(application, environ, buffered=True)
    return int(status.split()[0])
