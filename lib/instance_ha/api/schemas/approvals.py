"""Approvals and the decision log: ours, Masakari has nothing like them."""

from typing import Any

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, NewestFirst
from instance_ha.api.schemas.types import Filter, Short, Shown, UuidLike
from instance_ha.models.gates import ApprovalVerdict, Gate, GateVerdict

_NOTIFICATION = "Whose recovery it is about; all by default."


class NewApproval(Body):
    """What an operator says of a recovery that is held."""

    notification_uuid: UuidLike
    verdict: ApprovalVerdict = Field(
        description="`approve` opens the gates that hold it now, whatever they see later; `deny` ends it."
    )
    reason: Short = Field(description="It is kept with their user's name and id.")


class CreateApproval(Body):
    """Body of approval create."""

    approval: NewApproval


class ApprovalsQuery(NewestFirst):
    """Query of the list of approvals."""

    notification_uuid: Filter | None = Field(None, description=_NOTIFICATION)


class DecisionsQuery(ApprovalsQuery):
    """Query of the decision log."""


class Approval(ApiModel):
    """What an operator has said."""

    id: int
    created_at: Shown
    notification_uuid: str
    verdict: ApprovalVerdict
    gates: list[Gate] = Field(description="Those that it opens.")
    reason: str
    actor: str | None = Field(description="Name and id of the user.")


class ApprovalEnvelope(ApiModel):
    """One approval."""

    approval: Approval


class ApprovalsEnvelope(ApiModel):
    """A page of approvals, the newest first."""

    approvals: list[Approval]


class GateDecision(ApiModel):
    """What a gate has decided over a recovery."""

    id: int
    decided_at: Shown
    notification_uuid: str
    attempt: int = Field(description="0: before the first one.")
    gate: Gate
    verdict: GateVerdict
    saw: dict[str, Any]
    reason: str | None = Field(description="Why it holds, or would without an approval.")


class DecisionsEnvelope(ApiModel):
    """A page of the decision log, the newest first."""

    decisions: list[GateDecision]
