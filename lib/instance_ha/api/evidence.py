"""``/x-instance-ha/evidence``: what is known of hosts whose death was reported, and what others add to it."""

from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.evidence import (
    CreateEvidence,
    EvidenceEnvelope,
    EvidenceListEnvelope,
    EvidenceQuery,
    NewConfirmation,
    NewExternalEvidence,
)
from instance_ha.api.schemas.evidence import Evidence as ShownEvidence
from instance_ha.models.errors import Conflict
from instance_ha.models.evidence import Evidence, EvidenceKind, Verdict
from instance_ha.models.rows import Host, Notification
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.store import evidence, host_recoveries, hosts

_CONFIRM = "instance-ha:evidence:confirm"


def index(call: Call, asked: EvidenceQuery) -> EvidenceListEnvelope:
    """List evidence, the newest first."""
    limit = asked.at_most(call.world.settings.osapi_max_limit)
    with call.world.database.begin() as connection:
        found = evidence.page(connection, asked.host, asked.marker, limit)
    return EvidenceListEnvelope(evidence=[ShownEvidence.model_validate(row) for row in found])


def create(call: Call, asked: CreateEvidence) -> EvidenceEnvelope:
    """Confirm that a host is dead, or add what a system of the operator's own says of it."""
    new, now = asked.evidence, call.world.clock.now()
    assert call.caller is not None
    if isinstance(new, NewConfirmation):
        call.world.policy.check(call.caller, _CONFIRM)
    with call.world.database.begin() as connection:
        host = hosts.named(connection, [new.host])[0]
        recovery = host_recoveries.current(connection, host.uuid)
        row = evidence.add_one(connection, _read(call, new, host, recovery, now))
    log.get().warning("evidence posted", host=host.name, kind=str(row.kind), verdict=str(row.verdict), actor=row.actor)
    if recovery is not None:
        kind = recovery_of(recovery.type)
        call.world.publisher.publish([Trigger(kind, recovery.notification_uuid, call.request_id)], row.seen_at)
    return EvidenceEnvelope(evidence=ShownEvidence.model_validate(row))


def _read(
    call: Call, new: NewConfirmation | NewExternalEvidence, host: Host, recovery: Notification | None, now: datetime
) -> Evidence:
    """Read what was posted.

    Raises:
        Conflict: a death is confirmed that nobody has reported.

    """
    assert call.caller is not None
    if isinstance(new, NewConfirmation) and recovery is None:
        raise Conflict(
            f"no failure of host {host.name} is being handled, so there is nothing to confirm: report the failure first"
        )
    is_confirmed = isinstance(new, NewConfirmation)
    return Evidence(
        host_uuid=host.uuid,
        kind=EvidenceKind(new.kind),
        verdict=Verdict.DEAD if isinstance(new, NewConfirmation) else new.verdict,
        source="api" if isinstance(new, NewConfirmation) else new.source,
        seen_at=now,
        valid_until=now + timedelta(seconds=new.valid_for),
        detail={"reason": new.reason} if new.reason else {},
        actor=call.caller.actor,
        notification_uuid=recovery.notification_uuid if recovery is not None and is_confirmed else None,
    )


ROUTES = (
    Route(
        "/x-instance-ha/evidence",
        {
            "GET": Operation(index, EvidenceListEnvelope, EvidenceQuery, "instance-ha:evidence:index"),
            "POST": Operation(create, EvidenceEnvelope, CreateEvidence, "instance-ha:evidence:create", 201, (409,)),
        },
    ),
)
