"""Policies of segments: ours, Masakari has nothing like it."""

from typing import Annotated

from pydantic import Field, PlainSerializer

from instance_ha.api.schemas.base import ApiModel, Body, Change
from instance_ha.api.schemas.types import Shown
from instance_ha.models.evidence import EvidenceKind, KindSet, LocalDisk
from instance_ha.models.fencing import FencePolicy
from instance_ha.models.gates import Mode
from instance_ha.models.returns import ReturnPolicy

_DEAD_WHEN = "A host counts as dead when there is fresh evidence of death of all kinds of one of these sets."
_LOCAL_DISK = (
    "What becomes of instances whose disk is lost with their host: `evacuate` (they are built anew, empty, as Masakari "
    "does), `leave` (they stay on the failed host), `hold` (nothing of the host is evacuated)."
)
_FENCE = (
    "Whether the power of a failed host is cut before its instances are evacuated: `never`, `if_possible` (a host that "
    "could not be fenced is recovered as with `never`), `required` (nothing is evacuated from a host that was not "
    "fenced, unless an operator confirms that it is dead)."
)
_MODE = (
    "What recoveries may do by themselves: `observe` (nothing: they end and say what they would have done), `approve` "
    "(nothing before an operator has approved it), `auto`. It counts for what begins after it was changed."
)
_RETURNS = (
    "Who brings recovered hosts back: `manual` (an operator), `auto` (each host whose recovery has finished returns as "
    "soon as it may serve again, and its instances go home), `never` (nobody: what is asked for is refused)."
)
_Kinds = Annotated[list[EvidenceKind], Field(min_length=1, max_length=len(EvidenceKind))]
_ShownKinds = Annotated[KindSet, PlainSerializer(sorted, return_type=list[EvidenceKind])]


class PolicyChange(Change):
    """What to change of a segment's policy."""

    dead_when: list[_Kinds] = Field([], min_length=1, max_length=10, description=_DEAD_WHEN)
    local_disk: LocalDisk = Field(LocalDisk.EVACUATE, description=_LOCAL_DISK)
    fence: FencePolicy = Field(FencePolicy.NEVER, description=_FENCE)
    mode: Mode = Field(Mode.AUTO, description=_MODE)
    returns: ReturnPolicy = Field(ReturnPolicy.MANUAL, description=_RETURNS)


class UpdatePolicy(Body):
    """Body of policy update."""

    policy: PolicyChange


class Policy(ApiModel):
    """What a segment's recoveries need before they begin, and what they may do."""

    segment_uuid: str
    dead_when: list[_ShownKinds] = Field(description=_DEAD_WHEN)
    local_disk: LocalDisk = Field(description=_LOCAL_DISK)
    fence: FencePolicy = Field(description=_FENCE)
    mode: Mode = Field(description=_MODE)
    returns: ReturnPolicy = Field(description=_RETURNS)
    updated_at: Shown | None = Field(description="Null: nobody has changed it.")
    actor: str | None = Field(description="Name and id of the user who has changed it last.")


class PolicyEnvelope(ApiModel):
    """One policy."""

    policy: Policy
