"""Holding a recovery: it waits, visibly and without a lease, until what keeps it has gone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide import failures, gates, witnesses
from instance_ha.decide import hold as holds
from instance_ha.decide.hold import Hold
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import ComputeService
from instance_ha.models.errors import RecoveryDenied, TryAgain
from instance_ha.models.evidence import EvidenceKind
from instance_ha.models.gates import Pause
from instance_ha.models.rows import Host, Notification
from instance_ha.recovery.claim import Claim
from instance_ha.store import approvals, evidence, policies

# What the flow of a host's failure waits for by itself.
_BROUGHT = frozenset({EvidenceKind.SERVICE_DOWN})
_ANSWERS = frozenset({EvidenceKind.LIBVIRT, EvidenceKind.POWER_OFF, EvidenceKind.CONFIRMED})


def check_evidence(claim: Claim[Notification], host: Host, service: ComputeService | None = None) -> Hold | None:
    """Say what keeps the recovery of a host, by the evidence and its segment's policy; None when it may go on.

    What is known is written down before. ``service`` is what Nova has just said of the host; None: it was not asked,
    and is by the time that it matters.
    """
    world, notification, now = claim.world, claim.row, claim.world.clock.now()
    seen = [witnesses.of_report(notification, world.settings.notifications_expired_interval)]
    if service is not None:
        seen.append(witnesses.of_service(notification, service, now))
    with claim.transaction() as connection:
        evidence.add(connection, seen)
        known = holds.about(evidence.fresh(connection, host.uuid, now), notification)
        policy = policies.of_segment(connection, host.failover_segment_id)
        brings = _BROUGHT if service is None else frozenset()
        held = holds.hold_unless_dead(host.name, known, policy.dead_when, brings, now)
        if held is None and not brings and notification.proven_at is None:
            claim.lease.write(connection, proven_at=now)
            claim.row = replace(claim.row, proven_at=now)
    return held


def signs_of_life(connection: Connection, notification: Notification, host: str, now: datetime) -> Hold | None:
    """Say what keeps a recovery that has begun to evacuate, by the evidence that there is now of its host."""
    known = evidence.fresh(connection, notification.source_host_uuid, now)
    return holds.hold_while_alive(host, holds.about(known, notification), now)


def expect_no_pause(in_force: Sequence[Pause]) -> None:
    """Raise TryAgain while a pause is in force: what may not begin in one is tried again."""
    if in_force:
        raise TryAgain(f"a pause is in force until {in_force[0].until:%Y-%m-%d %H:%M} UTC")


def hypervisor_is_awaited(claim: Claim[Notification]) -> bool:
    """Say whether monitor-guests has yet to ask the host's hypervisor, as it does in its next poll.

    It need not when a fence or a person has answered for the host.
    """
    world, row = claim.world, claim.row
    settings = world.settings
    limit = timedelta(seconds=settings.guest_monitoring_interval + settings.libvirt_timeout)
    if not settings.guest_monitoring or world.clock.now() >= row.created_at + limit:
        return False
    with claim.read() as connection:
        return not evidence.is_there(connection, row.notification_uuid, _ANSWERS)


def hold(claim: Claim[Notification], held: Hold) -> None:
    """Give a recovery back until it must be checked again; its status stays what it was.

    Raises:
        RecoveryDenied: an operator has denied it since it was held.

    """
    world, row, now = claim.world, claim.row, claim.world.clock.now()
    expires_at = failures.expires_at(row, world.settings.notifications_expired_interval)
    message, is_new = held.message(expires_at), row.held_since is None
    values = {"message": message, "held_since": row.held_since or now, "held_by": held.gates, "tries": 0}
    if not row.attempt:
        values["admitted_at"] = None  # it has not begun, so it uses up nothing of the rate
    if message != row.message:
        log.get().warning("recovery held", reason=held.reason, released_by=held.released_by)
        values["updated_at"] = now
    with claim.release(min(held.check_at, expires_at + timedelta(seconds=1)), **values) as connection:
        check_not_denied(claim, connection)
        if is_new:
            emit.recovery_held(world, connection, row.notification_uuid)
    world.breakpoint(Breakpoint.RECOVERY_HELD)


def check_not_denied(claim: Claim[Notification], connection: Connection) -> None:
    """Raise RecoveryDenied when an operator has denied a recovery that is held, or has not begun.

    What has not begun, and is not held, is denied by what was said of another report of the same failure.
    """
    if claim.row.held_since is None and claim.row.attempt:
        return
    denial = gates.denial(approvals.denials(connection, claim.row))
    if denial is not None:
        raise RecoveryDenied(denial)


def go_on(claim: Claim[Notification]) -> None:
    """Take a recovery that was held up again; nothing happens to one that was not.

    Raises:
        RecoveryDenied: an operator has denied it. None does so afterwards: it is not held any more.

    """
    if claim.row.held_since is not None:
        with released(claim):
            pass


@contextmanager
def released(claim: Claim[Notification]) -> Iterator[Connection]:
    """Take a recovery that is held up again, with what is written inside.

    Raises:
        RecoveryDenied: an operator has denied it; nothing was written.

    """
    with claim.transaction() as connection:
        check_not_denied(claim, connection)
        claim.lease.write(connection, message=None, held_since=None, held_by=())
        emit.recovery_released(claim.world, connection, claim.row.notification_uuid)
        yield connection
    log.get().info("recovery not held any more")
    claim.row = replace(claim.row, message=None, held_since=None, held_by=())
