"""No authentication, for a demo beside a simulated cloud: every caller is an administrator, and an operator."""

from typing import Any

from instance_ha.models.rows import Caller


class NoAuth:
    """Believes every caller."""

    def check(self, environ: dict[str, Any]) -> Caller:
        """Return the caller; an ``X-Auth-Token`` of the form ``user:project`` may name them."""
        user, _, project = environ.get("HTTP_X_AUTH_TOKEN", "").partition(":")
        return Caller(user or "admin", project or user or "admin", frozenset({"admin", "instance_ha_operator"}))
