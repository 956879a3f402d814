"""A request, first of anybody, then of a person who has logged in; and what a page is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import Request

from instance_ha.api.microversion import HIGHEST
from instance_ha.api.operation import Call
from instance_ha.console import session as sessions
from instance_ha.console.session import Session
from instance_ha.models.rows import Caller
from instance_ha.world import ConsoleWorld

READS = ("GET", "HEAD")


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request, of whomever."""

    world: ConsoleWorld
    request: Request
    path: Mapping[str, str]  # what the route left open
    request_id: str

    @cached_property
    def now(self) -> datetime:
        """The time that the whole answer is of."""
        return self.world.clock.now()

    @cached_property
    def session(self) -> Session | None:
        """The session that it belongs to; None: nobody has logged in, or it is over."""
        return sessions.read(self.request, self.world.settings, self.now)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.request.method in READS


@dataclass(frozen=True, kw_only=True)
class Visit(Arrival):
    """A request of a person whose token was checked."""

    caller: Caller

    @cached_property
    def query(self) -> dict[str, str]:
        """What the address asks for; Postgres cannot hold a NUL, so nothing there can match one."""
        return {name: value.replace("\0", "\ufffd") for name, value in self.request.args.items()}

    @property
    def call(self) -> Call:
        """The same, as the API's own code takes it."""
        return Call(self.world, self.caller, HIGHEST, self.path, "", self.request_id)

    def may(self, rule: str) -> bool:
        """Say whether the policy lets the person do something; what they may not is not shown."""
        return self.world.policy.allows(self.caller, rule)


@dataclass(frozen=True)
class Page:
    """A page: all its rules must be met to see it. What ``show`` returns is put into the template."""

    path: str
    template: str
    rules: tuple[str, ...]
    show: Callable[[Visit], dict[str, Any]]
