"""May a recovery act at all? What the gates see is read here, and what they decide is written down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha.decide import gates
from instance_ha.decide.gates import GateLimits, GateResult, Threshold
from instance_ha.decide.hold import Hold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.enums import NotificationType
from instance_ha.models.evidence import EvidenceKind
from instance_ha.models.gates import GateDecision, GateVerdict, Mode, Pause, Seen
from instance_ha.models.metrics import GATE_HOLDS
from instance_ha.models.rows import Host, Notification
from instance_ha.recovery.claim import Claim
from instance_ha.settings import Settings
from instance_ha.store import approvals, evidence, pauses, policies
from instance_ha.store import gates as store

_FENCED = frozenset({EvidenceKind.POWER_OFF})


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
    is_host, now = claim.row.type is NotificationType.COMPUTE_HOST, claim.world.clock.now()
    services = claim.nova.service_states() if is_host else []
    if claim.row.attempt and not is_host:
        return Admission()
    with claim.transaction() as connection:
        paused = pauses.over(connection, host, now)
        mode = policies.of_segment(connection, host.failover_segment_id).mode
        results = [] if claim.row.attempt else [gates.pause(paused), gates.approval(mode)]
        if is_host:
            results += _of_host(claim, connection, host, services)
        held = _decide(claim, connection, results, now)
        only_observes = mode is Mode.OBSERVE and not claim.row.attempt
        begins = is_host and held is None and not only_observes
        _note(claim, connection, paused if held else (), now if begins else None)
    return Admission(held, only_observes)


def ask_again(claim: Claim[Notification], host: Host) -> Hold | None:
    """Ask once more before the first evacuation whether there is a storm: others may have been reported meanwhile.

    A host whose power was cut is not left off without its instances running elsewhere.
    """
    now = claim.world.clock.now()
    with claim.transaction() as connection:
        if evidence.is_there(connection, claim.row.notification_uuid, _FENCED):
            return None
        storms = _storms(_seen(claim, connection, host), _limits(claim.world.settings))
        return _decide(claim, connection, storms, now)


def _of_host(
    claim: Claim[Notification], connection: Connection, host: Host, services: Sequence[ServiceState]
) -> list[GateResult]:
    """Ask the gates that are about hosts, one recovery after the other."""
    store.take_turn(connection)
    limits, others = _limits(claim.world.settings), store.peers(connection, host)
    now_and_later = [gates.cloud_health(services), gates.peers(services, others, limits)]
    if claim.row.attempt:
        return now_and_later
    patience = timedelta(seconds=claim.world.settings.wait_period_after_service_update)
    seen = gates.without_alive(_seen(claim, connection, host), services, claim.world.clock.now(), patience)
    return [*_storms(seen, limits), gates.rate(seen, limits), gates.flapping(seen, limits), *now_and_later]


def _storms(seen: Seen, limits: GateLimits) -> list[GateResult]:
    return [gates.storm_segment(seen, limits), gates.storm_cloud(seen, limits)]


def _seen(claim: Claim[Notification], connection: Connection, host: Host) -> Seen:
    settings, now = claim.world.settings, claim.world.clock.now()
    windows = timedelta(seconds=settings.storm_window), timedelta(seconds=settings.recovery_rate_window)
    return store.seen(connection, host, claim.row, *windows, now)


def _limits(settings: Settings) -> GateLimits:
    return GateLimits(
        storm_segment=Threshold(settings.storm_segment_number, settings.storm_segment_share),
        storm_cloud=Threshold(settings.storm_cloud_number, settings.storm_cloud_share),
        peers=Threshold(settings.peers_down_number, settings.peers_down_share),
        rate=settings.recovery_rate,
        rate_window=timedelta(seconds=settings.recovery_rate_window),
        recoveries_per_day=settings.host_recoveries_per_day,
    )


def _decide(
    claim: Claim[Notification], connection: Connection, results: Sequence[GateResult], now: datetime
) -> Hold | None:
    """Decide by what the gates say and what operators have approved; what is new of it goes into the decision log."""
    uuid = claim.row.notification_uuid
    approved = gates.approved(approvals.of_notification(connection, uuid))
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
    claim: Claim[Notification], connection: Connection, paused: Sequence[Pause], admitted_at: datetime | None
) -> None:
    """Note until when pauses hold a recovery, or that it was let pass: the rate is counted by that."""
    now, before = claim.world.clock.now(), claim.row.paused_until
    until = max((one.until for one in paused), default=None if before is None else min(before, now))
    row = replace(claim.row, paused_until=until, admitted_at=admitted_at or claim.row.admitted_at)
    if row != claim.row:
        claim.lease.write(connection, paused_until=row.paused_until, admitted_at=row.admitted_at)
        claim.row = row
