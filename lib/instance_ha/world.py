"""The one door to everything outside: clock, Postgres, Nova, events, tokens, policy, sinks, archive.

It is handed down from the function's entry; nothing below opens another. Production builds it in
``entry.wiring``; the simulator of the tests builds its own, with virtual time and a cloud that it controls.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from instance_ha.models.ports import Archive, Clock, Nova, Policy, Publisher, Sinks, Together, TokenCheck
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


def in_threads(works: Sequence[Callable[[], None]]) -> None:
    """Run all, each in a thread of its own that logs as the caller does; returns when the last one ends."""
    if not works:
        return
    with ThreadPoolExecutor(len(works), thread_name_prefix="together") as pool:
        for running in [pool.submit(copy_context().run, work) for work in works]:
            running.result()


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
    sinks: Sinks
    archive: Archive
    hostname: str = "localhost"  # who we are, for those who read our event notifications
    together: Together = in_threads
    step: Callable[[str], None] = field(default=_pass)  # named points at which a test can kill the invocation

    def deadline(self) -> datetime:
        """When an invocation that begins now must hand its work over."""
        return self.clock.now() + timedelta(seconds=self.settings.invocation_time)
