"""No authentication, for a demo beside a simulated cloud: every caller is an administrator, and an operator."""

from datetime import timedelta
from typing import Any

from instance_ha.models.logins import Credentials, IssuedToken, PasswordLogin
from instance_ha.models.ports import Clock
from instance_ha.models.rows import Caller

_LASTS = timedelta(hours=12)


class NoAuth:
    """Believes every caller."""

    def check(self, environ: dict[str, Any]) -> Caller:
        """Return the caller; an ``X-Auth-Token`` of the form ``user:project`` may name them."""
        user, _, project = environ.get("HTTP_X_AUTH_TOKEN", "").partition(":")
        return Caller(user or "admin", project or user or "admin", frozenset({"admin", "instance_ha_operator"}))

    def forget(self, token: str) -> None:
        """Forget nothing: every token is believed."""


class AnyLogin:
    """Lets everybody in."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def log_in(self, credentials: Credentials) -> IssuedToken:
        """Make up a token that names its user."""
        user, project = (
            (credentials.user, credentials.project) if isinstance(credentials, PasswordLogin) else ("admin", "admin")
        )
        return IssuedToken(token=f"{user}:{project}", user=user, project=project, expires_at=self._clock.now() + _LASTS)

    def log_out(self, token: str) -> None:
        """Forget nothing: nothing is known."""
