"""The one door to everything outside: clock, Postgres, Nova, events, tokens, policy.

It is handed down from the function's entry; nothing below opens another. Production builds it in
``entry.wiring``; the simulator of the tests builds its own, with virtual time and a cloud that it controls.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from instance_ha.models.custom import UrlTasks
from instance_ha.models.ports import Clock, Nova, Policy, Publisher, TokenCheck
from instance_ha.settings import Settings
from instance_ha.store.database import Database


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def _pass(_name: str) -> None:
    """In production nothing happens at a named step."""


def in_thread(work: Callable[[], None]) -> None:
    """Run it beside us; its log lines carry what ours do."""
    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()


def new_owner() -> str:
    """Name an invocation, as the owner of its leases."""
    return str(uuid4())


@dataclass(frozen=True)
class World:
    """Everything outside. What is costly to have is made at its first use, not when a function starts."""

    settings: Settings
    clock: Clock
    database: Database
    nova: Nova
    publisher: Publisher
    tokens: TokenCheck
    policy: Policy
    url_tasks: UrlTasks
    beside: Callable[[Callable[[], None]], None] = in_thread
    step: Callable[[str], None] = field(default=_pass)  # named points at which a test can kill the invocation

    def deadline(self) -> datetime:
        """When an invocation that begins now must hand its work over."""
        return self.clock.now() + timedelta(seconds=self.settings.invocation_time)
