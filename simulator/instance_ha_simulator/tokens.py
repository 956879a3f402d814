"""How the functions of a simulation get their tokens: as in production, one of them asks while the others wait."""

from keystoneauth1 import exceptions
from keystoneauth1.identity.v3 import Password

from instance_ha_simulator.cloud.adapter import URL
from instance_ha_simulator.cloud.identity import User
from instance_ha_simulator.scheduler import Scheduler

# Seconds that a lease outlasts the limit of a request; a request that has waited for longer is not sent.
_PATIENCE = 2.0


class _Lock:
    """A lock that is waited for in virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_held = False

    def __enter__(self) -> None:
        until = self._scheduler.elapsed + _PATIENCE
        while self._is_held:
            if self._scheduler.elapsed >= until:
                raise exceptions.ConnectTimeout("another thread still fetches the token")
            self._scheduler.sleep(0.1)
        self._is_held = True

    def __exit__(self, *_error: object) -> None:
        self._is_held = False


class SharedToken(Password):  # type: ignore[misc]  # keystoneauth has no types
    """A token that all invocations use."""

    def __init__(self, user: User, scheduler: Scheduler) -> None:
        super().__init__(
            f"{URL}identity/v3",
            username=user.name,
            password=user.password,
            project_name=user.project.name,
            user_domain_id="default",
            project_domain_id="default",
        )
        self._lock = _Lock(scheduler)
