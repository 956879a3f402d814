"""``/x-instance-ha/approvals`` and ``/x-instance-ha/decisions``: what operators and gates say of recoveries."""

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.approvals import Approval as ShownApproval
from instance_ha.api.schemas.approvals import (
    ApprovalEnvelope,
    ApprovalsEnvelope,
    ApprovalsQuery,
    CreateApproval,
    DecisionsEnvelope,
    DecisionsQuery,
    GateDecision,
)
from instance_ha.models.errors import BadRequest, Conflict
from instance_ha.models.gates import Approval, ApprovalVerdict, Gate
from instance_ha.models.rows import Notification
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import approvals, gates, notifications


def index(call: Call, asked: ApprovalsQuery) -> ApprovalsEnvelope:
    """List what operators have said of held recoveries, the newest first."""
    with call.world.database.begin() as connection:
        found = approvals.page(
            connection, asked.notification_uuid, asked.marker, asked.at_most(call.world.settings.osapi_max_limit)
        )
    return ApprovalsEnvelope(approvals=[ShownApproval.model_validate(row) for row in found])


def create(call: Call, asked: CreateApproval) -> ApprovalEnvelope:
    """Approve a recovery that gates hold, or deny one that is held by whatever."""
    assert call.caller is not None
    new, now = asked.approval, call.world.clock.now()
    uuid = NotificationUuid(new.notification_uuid)
    with emit.change(call.world, "approval.create") as change, call.world.database.begin() as connection:
        held = _held(connection, uuid)
        approval = Approval(
            created_at=now,
            notification_uuid=uuid,
            verdict=new.verdict,
            gates=_gates(held) if new.verdict is ApprovalVerdict.APPROVE else (),
            reason=new.reason,
            actor=call.caller.actor,
        )
        change.start(uuid, vars(approval))
        row = approvals.add(connection, approval)
        change.end(connection, vars(row))
    log.get().warning(
        "recovery approved" if row.gates else "recovery denied",
        notification_uuid=uuid,
        gates=[str(gate) for gate in row.gates] or None,
        reason=row.reason,
        actor=row.actor,
    )
    call.world.publisher.publish([Trigger(recovery_of(held.type), uuid, call.request_id)], now)
    return ApprovalEnvelope(approval=ShownApproval.model_validate(row))


def list_decisions(call: Call, asked: DecisionsQuery) -> DecisionsEnvelope:
    """List what gates have decided over recoveries, the newest first."""
    with call.world.database.begin() as connection:
        found = gates.page(
            connection, asked.notification_uuid, asked.marker, asked.at_most(call.world.settings.osapi_max_limit)
        )
    return DecisionsEnvelope(decisions=[GateDecision.model_validate(row) for row in found])


def _held(connection: Connection, uuid: NotificationUuid) -> Notification:
    """Read and lock a notification whose recovery is held.

    Raises:
        BadRequest: there is none.
        Conflict: its recovery is not held.

    """
    found = notifications.by_uuid(connection, uuid, lock=True)
    if found is None:
        raise BadRequest(f"notification {uuid} could not be found")
    if found.held_since is None:
        raise Conflict(f"the recovery of notification {uuid} is not held: it is {found.status}")
    return found


def _gates(held: Notification) -> tuple[Gate, ...]:
    """Name the gates that hold a recovery.

    Raises:
        Conflict: something else holds it, which no approval releases.

    """
    if not held.held_by:
        raise Conflict(f"no gate holds the recovery of notification {held.notification_uuid}: {held.message}")
    return held.held_by


ROUTES = (
    Route(
        "/x-instance-ha/approvals",
        {
            "GET": Operation(index, ApprovalsEnvelope, ApprovalsQuery, "instance-ha:approvals:index"),
            "POST": Operation(create, ApprovalEnvelope, CreateApproval, "instance-ha:approvals:create", 201, (409,)),
        },
    ),
    Route(
        "/x-instance-ha/decisions",
        {"GET": Operation(list_decisions, DecisionsEnvelope, DecisionsQuery, "instance-ha:decisions:index")},
    ),
)
