"""Bearer tokens that stand in a mounted secret: of Prometheus, and of schedulers."""

import hmac
from collections.abc import Sequence

from flask import Request


def is_known(request: Request, tokens: Sequence[bytes]) -> bool:
    """Whether the caller knows one of the tokens; how long the answer takes does not tell how close it was."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    secret = given.strip().encode(errors="replace")
    fits = [hmac.compare_digest(secret, token) for token in tokens]
    return scheme.lower() == "bearer" and any(fits)
