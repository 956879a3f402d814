"""The unit of work: a row that one invocation works on, and the only way to write while it does.

Whatever a recovery writes, it writes in a transaction of its claim, which renews the lease and fails when the row
belongs to another invocation. No transaction is open while Nova is asked. A request that changes something is sent
only under a lease that outlasts the request's own time limit; while a question lasts, the lease is renewed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide.outcome import back_off
from instance_ha.models.enums import FINAL_NOTIFICATION
from instance_ha.models.errors import LeaseLost, TryAgain
from instance_ha.models.metrics import INTERNAL_ERRORS, LEASE_LOSSES
from instance_ha.models.ports import Nova
from instance_ha.models.returns import HostReturn
from instance_ha.models.rows import Notification, VMove
from instance_ha.models.triggers import Trigger
from instance_ha.planning.source import Source
from instance_ha.settings import LEASE_MARGIN
from instance_ha.store import notifications, returns, vmoves
from instance_ha.store.leases import Lease
from instance_ha.world import RecoveryWorld, new_owner

Row = TypeVar("Row", Notification, VMove, HostReturn)


@dataclass
class Claim(Generic[Row]):
    """A notification, a vmove or a return that is ours until ``held_until``, as it was read or last written."""

    world: RecoveryWorld
    lease: Lease
    row: Row
    deadline: datetime  # when the invocation must hand its work over
    held_until: datetime

    @contextmanager
    def transaction(self, **values: Any) -> Iterator[Connection]:
        """Open a transaction that may write; it renews the lease, and writes ``values`` to the row.

        Raises:
            LeaseLost: the row belongs to another invocation; nothing was written.

        """
        until = self.world.clock.now() + timedelta(seconds=self.lease.seconds)
        with self.world.database.begin() as connection:
            self.lease.renew(connection, until, **values)
            yield connection
        self.held_until = until

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that cannot write."""
        with self.world.database.read() as connection:
            yield connection

    @contextmanager
    def release(self, due_at: datetime | None, **values: Any) -> Iterator[Connection]:
        """Open the last transaction, which writes ``values`` and gives the row back; it is due again at ``due_at``.

        Raises:
            LeaseLost: the row belongs to another invocation; nothing was written.

        """
        with self.world.database.begin() as connection:
            self.lease.release(connection, due_at, **values)
            yield connection
        self.held_until = self.world.clock.now()

    def write(self, **values: Any) -> None:
        """Write to the row; raises LeaseLost when it belongs to another invocation."""
        with self.transaction(**values):
            pass
        self.row = replace(self.row, **values)

    def write_ahead(self, **values: Any) -> None:
        """Write down to the row what is sent to Nova next, and let it go: it is ours until the answer, and never due.

        So nothing need be written when Nova has accepted it. Raises LeaseLost when it belongs to another invocation.
        """
        longest = self.world.settings.nova_timeout + 2 * LEASE_MARGIN  # a moment may pass before it is sent
        until = self.world.clock.now() + timedelta(seconds=max(self.lease.seconds, longest))
        with self.world.database.begin() as connection:
            self.lease.write(connection, lease_until=until, due_at=None, **values)
        self.held_until, self.row = until, replace(self.row, **values)

    def keep(self) -> None:
        """Renew the lease if a third of it has passed.

        Raises:
            LeaseLost: the row belongs to another invocation.

        """
        self._hold(timedelta(seconds=self.lease.seconds) * 2 / 3)

    def cover(self, seconds: float) -> None:
        """Hold the row at least as long as something may last that begins now.

        Raises:
            LeaseLost: the row belongs to another invocation, so it must not begin.

        """
        self._hold(timedelta(seconds=seconds + LEASE_MARGIN))

    @contextmanager
    def renewed(self, seconds: float) -> Iterator[None]:
        """Renew the lease while a question lasts that is asked inside, but no longer than ``seconds``.

        So the lease of an invocation that is killed meanwhile ends soon, however long the question may take.

        Raises:
            LeaseLost: the row belongs to another invocation, so it is of no use to ask.

        """
        lease = timedelta(seconds=self.lease.seconds)
        until = self.world.clock.now() + timedelta(seconds=seconds)

        def renew() -> None:
            try:
                if self.world.clock.now() < until:
                    self._hold(lease)
            except (LeaseLost, TryAgain) as error:  # the next write finds out
                log.get().debug("lease not renewed", reason=str(error))

        self.keep()
        with self.world.beside(renew, self.lease.seconds / 3):
            yield

    def _hold(self, needed: timedelta) -> None:
        """Renew the lease if it does not last so long."""
        now = self.world.clock.now()
        if self.held_until - now >= needed:
            return
        until = now + max(needed, timedelta(seconds=self.lease.seconds))
        with self.world.database.begin() as connection:
            self.lease.renew(connection, until)
        self.held_until = until

    @property
    def nova(self) -> Nova:
        """Nova, asked under this claim."""
        return self.world.nova.under(self.cover, self.renewed)

    @property
    def out_of_time(self) -> bool:
        """Whether the work must be handed over."""
        return self.world.ending() or self.world.clock.now() >= self.deadline

    def pause(self) -> bool:
        """Wait before the next question of a wait; False when the invocation's time is up, without waiting."""
        if self.out_of_time:
            return False
        with self.transaction():  # a lost lease ends the wait
            pass
        self.world.clock.sleep(self.world.settings.verify_interval)
        return True

    def hand_over(self, trigger: Trigger, **about: object) -> None:
        """Let another invocation go on at once; ``about`` says with what in the log."""
        with self.release(self.world.clock.now(), tries=0):
            pass
        log.get().info("handed over to another invocation", **about)
        self.world.publisher.publish([trigger], self.world.clock.now())

    @contextmanager
    def lease_guard(self) -> Iterator[None]:
        """Work on the row inside; a passing trouble gives it back, due again after growing pauses."""
        try:
            yield
        except LeaseLost as error:
            self.world.metrics.count(LEASE_LOSSES, table=self.lease.table.name)
            log.get().warning("lease lost", reason=str(error))
        except TryAgain as error:
            self._retry_later(str(error))
        except Exception as error:  # a defect of ours must not hold the row for ever
            self.world.metrics.count(INTERNAL_ERRORS)
            log.get().exception("unexpected error, will retry")
            self._retry_later(f"internal error: {type(error).__name__}")

    def _retry_later(self, reason: str) -> None:
        """Give the row back; while Postgres is away, the end of the lease does."""
        tries = self.row.tries + 1
        log.get().warning("will retry", reason=reason, tries=tries)
        due_at = back_off(tries, self.world.clock.now())
        final = isinstance(self.row, Notification) and self.row.status in FINAL_NOTIFICATION
        about = {} if final else {"message": f"waiting: {reason}"}  # why it has ended stays
        try:
            with self.release(due_at, tries=tries, **about):
                pass
        except (LeaseLost, TryAgain) as error:
            log.get().warning("lease not released", reason=str(error))


class Claimed(Generic[Row]):
    """What works on a claimed row."""

    claim: Claim[Row]

    @property
    def world(self) -> RecoveryWorld:
        """The one door to everything outside, for all but writing, and asking Nova."""
        return self.claim.world

    @property
    def nova(self) -> Nova:
        """Nova, asked while the row is ours."""
        return self.claim.nova

    @property
    def source(self) -> Source:
        """Where a plan is read while the row is ours."""
        return Source(self.nova, self.claim.read, self.world.clock, self.world.settings)


def claim_notification(world: RecoveryWorld, uuid: str) -> Claim[Notification] | None:
    """Claim a notification that is not final; None when another invocation has it, or it is not due."""
    return _claim(world, uuid, notifications.claim, notifications.lease)


def claim_vmove(world: RecoveryWorld, uuid: str) -> Claim[VMove] | None:
    """Claim an ongoing vmove of a running notification; None when another invocation has it, or it is done."""
    return _claim(world, uuid, vmoves.claim, vmoves.lease)


def claim_return(world: RecoveryWorld, uuid: str) -> Claim[HostReturn] | None:
    """Claim a return that has not ended; None when another invocation has it."""
    return _claim(world, uuid, returns.claim, returns.lease)


def _claim(
    world: RecoveryWorld,
    uuid: str,
    take: Callable[[Connection, str, str, datetime, float], Row | None],
    lease_of: Callable[[Row, float], Lease],
) -> Claim[Row] | None:
    now, seconds = world.clock.now(), world.settings.lease_time
    with world.database.begin() as connection:
        row = take(connection, uuid, new_owner(), now, seconds)
    if row is None:
        return None
    return Claim(world, lease_of(row, seconds), row, world.deadline(), now + timedelta(seconds=seconds))
