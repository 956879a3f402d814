"""Plans of recoveries: ours, Masakari has nothing like it."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from instance_ha.api.schemas.base import ApiModel, Body
from instance_ha.api.schemas.types import HostName, wrong
from instance_ha.decide.plan import Outlook
from instance_ha.models.enums import RecoveryMethod

_MOST_HOSTS = 20


class NewPlan(Body):
    """Which hosts are taken to fail now: `host`, or several `hosts` at once."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["host"]}, {"required": ["hosts"]}]})

    host: HostName = Field("", description="Name or uuid of a registered host.")
    hosts: Annotated[list[HostName], Field(min_length=1, max_length=_MOST_HOSTS)] = Field(
        [], description="The same of several, in the order in which they would be reported."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise wrong("either host or hosts is needed")
        return self


class CreatePlan(Body):
    """Body of a plan."""

    plan: NewPlan


class Before(ApiModel):
    """One thing that comes before the first evacuation."""

    task: str = Field(description="The task of the recovery that does it, or `the gates`.")
    text: str
    holds: bool = Field(description="The recovery waits there until somebody acts.")


class PlannedInstance(ApiModel):
    """An instance that would be evacuated."""

    id: str
    name: str
    vm_state: str
    ha_enabled: bool
    priority: int
    disk_lost: bool = Field(description="It would be built anew, empty, unless its storage is shared.")
    under_way: bool = Field(description="Its evacuation has been asked for: it is followed, and not asked for again.")


class LeftInstance(ApiModel):
    """An instance that would stay on the host."""

    id: str
    name: str
    reason: str


class ReservedHost(ApiModel):
    """A reserved host."""

    name: str
    reason: str | None = Field(description="Why it would be passed over; null: it can be used.")


class Plan(ApiModel):
    """What a recovery of one host would do now; nothing is changed, and nothing stored."""

    host: str
    host_uuid: str
    segment_uuid: str
    notification_uuid: str | None = Field(description="Whose recovery is open; null: nobody has reported the host.")
    outlook: Outlook = Field(
        description="`evacuates`, as soon as what comes before is done; `held` until somebody acts; `nothing` is "
        "evacuated; `not_known`, since Nova does not tell, or not all: that is no empty plan."
    )
    message: str | None = Field(description="Why nothing would be evacuated, or is not known.")
    before: list[Before]
    methods: list[RecoveryMethod] = Field(description="A later one takes what the one before has left over.")
    reserved_hosts: list[ReservedHost] = Field(description="In the order in which they are taken.")
    instances: list[PlannedInstance] | None = Field(description="In their order; null: it was not found out.")
    left_out: list[LeftInstance] | None


class PlansEnvelope(ApiModel):
    """A plan for each host."""

    plans: list[Plan]
