"""May a recovery act at all? What the gates see is read here, and what they decide is written down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from instance_ha.decide import gates
from instance_ha.decide.gates import GateResult
from instance_ha.decide.hold import Hold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.enums import NotificationType
from instance_ha.models.gates import Gate, GateDecision, GateVerdict, Mode
from instance_ha.models.metrics import GATE_HOLDS
from instance_ha.models.rows import Host, Notification
from instance_ha.planning.gates import HostGates
from instance_ha.recovery.claim import Claim
from instance_ha.store import approvals, pauses, policies
from instance_ha.store import gates as store


@dataclass(frozen=True)
class Admission:
    """Whether an attempt may begin, and whether it may do anything."""

    held: Hold | None = None
    only_observes: bool = False


def ask_gates(claim: Claim[Notification], host: Host) -> Admission:
    """Ask every gate before an attempt begins.

    What has begun ends as it would, so a later attempt is held only while Nova could not carry it out.

    Raises:
        CloudUnavailable: Nova does not answer.

    """
    if not claim.row.attempt:
        admission = _ask_operators(claim, host)
        if admission.held is not None or admission.only_observes:
            return admission  # Nova, which may be what is worked on, is not asked
    if claim.row.type is not NotificationType.COMPUTE_HOST:
        return Admission()
    services, now = claim.nova.service_states(), claim.world.clock.now()
    with claim.transaction() as connection:
        held = _decide(claim, connection, _ask_in_turn(claim, connection, host, services), now)
        if held is None and not claim.row.attempt:
            _note(claim, connection, claim.row.paused_until, now)
    return Admission(held)


def _ask_operators(claim: Claim[Notification], host: Host) -> Admission:
    """Ask the gates that operators close: pauses, and the mode of the segment."""
    now, before = claim.world.clock.now(), claim.row.paused_until
    with claim.transaction() as connection:
        paused = pauses.over(connection, host, now)
        mode = policies.of_segment(connection, host.failover_segment_id).mode
        held = _decide(claim, connection, [gates.pause(paused), gates.approval(mode)], now)
        until = None if before is None else min(before, now)
        if held is not None:
            until = max((one.until for one in paused), default=until)
        _note(claim, connection, until, claim.row.admitted_at)
    return Admission(held, mode is Mode.OBSERVE)


def ask_again(claim: Claim[Notification], host: Host, goes_on: Callable[[], bool]) -> Hold | None:
    """Ask once more before the first evacuation whether there is a storm: others may have been reported meanwhile.

    If there is one, ``goes_on`` says whether the recovery goes on in it.

    Raises:
        CloudUnavailable: there is one, unless hosts of it live, and Nova does not answer.

    """
    asked = _about(claim, host)
    with claim.read() as connection:
        results = asked.ask_about_storm(connection, ())
    if any(one.reason for one in results):
        if goes_on():
            return None
        services = claim.nova.service_states()
        with claim.read() as connection:
            results = asked.ask_about_storm(connection, services)
    with claim.transaction() as connection:
        return _decide(claim, connection, results, asked.now)


def _ask_in_turn(
    claim: Claim[Notification], connection: Connection, host: Host, services: Sequence[ServiceState]
) -> list[GateResult]:
    """Ask the gates that are about hosts, one recovery after the other: the rate is counted by those that have passed.

    What is held waits for no other, so those who have to wait ask before, too.
    """
    asked = _about(claim, host)
    if not claim.row.attempt and not store.take_free_turn(connection):
        results = asked.ask(connection, services)
        if gates.hold(results, _approved(claim, connection, results), asked.now) is not None:
            return results
        store.take_turn(connection)
    return asked.ask(connection, services)


def _about(claim: Claim[Notification], host: Host) -> HostGates:
    return HostGates(claim.world.settings, host, claim.row, claim.world.clock.now())


def _approved(claim: Claim[Notification], connection: Connection, results: Sequence[GateResult]) -> frozenset[Gate]:
    """Name the gates that operators have opened; while none is closed nobody asks for them."""
    if not any(one.reason for one in results):
        return frozenset()
    return gates.approved(approvals.of_notification(connection, claim.row.notification_uuid))


def _decide(
    claim: Claim[Notification], connection: Connection, results: Sequence[GateResult], now: datetime
) -> Hold | None:
    """Decide by what the gates say and what operators have approved; what is new of it goes into the decision log."""
    uuid = claim.row.notification_uuid
    approved = _approved(claim, connection, results)
    latest = store.latest(connection, uuid)
    new = [
        GateDecision(
            decided_at=now,
            notification_uuid=uuid,
            attempt=claim.row.attempt,
            gate=one.gate,
            verdict=gates.verdict(one, approved),
            saw=one.saw,
            reason=one.reason,
        )
        for one in results
    ]
    new = [one for one in new if _says_more(one, latest.get(one.gate))]
    store.add_decisions(connection, new)
    for one in new:
        if one.verdict is GateVerdict.HELD:
            claim.world.metrics.count(GATE_HOLDS, gate=str(one.gate))
    return gates.hold(results, approved, now)


def _says_more(one: GateDecision, before: GateDecision | None) -> bool:
    """Say whether a decision is worth a row: each time that a gate closes or opens, or closes for another reason."""
    return before is None or (one.verdict, one.reason) != (before.verdict, before.reason)


def _note(
    claim: Claim[Notification], connection: Connection, paused_until: datetime | None, admitted_at: datetime | None
) -> None:
    """Note until when pauses hold a recovery, and when it was let pass: the rate is counted by that."""
    row = replace(claim.row, paused_until=paused_until, admitted_at=admitted_at)
    if row != claim.row:
        claim.lease.write(connection, paused_until=paused_until, admitted_at=admitted_at)
        claim.row = row
