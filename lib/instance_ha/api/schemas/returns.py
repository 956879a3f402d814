"""Returns of hosts: ours, Masakari has nothing like them."""

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel, Body, NewestFirst
from instance_ha.api.schemas.types import Bool, Filter, HostName, Shown
from instance_ha.models.returns import ReturnStatus


class NewReturn(Body):
    """A host that is to serve again."""

    host: HostName = Field(description="Name or uuid of a registered host.")
    move_home: Bool = Field(False, description="Whether its instances are live-migrated home.")


class CreateReturn(Body):
    """Body of return create."""

    return_: NewReturn = Field(alias="return")


class ReturnsQuery(NewestFirst):
    """Query of the list of returns."""

    host: Filter | None = Field(None, description="Name or uuid of a host.")


class Return(ApiModel):
    """The return of one host; the moves of its instances are vmoves of its recovery, of the type `live_migration`."""

    id: int
    uuid: str
    created_at: Shown
    updated_at: Shown | None
    host_uuid: str
    status: ReturnStatus
    move_home: bool
    is_back: bool = Field(description="Its compute service was enabled, and it is off maintenance.")
    actor: str | None = Field(
        description="Name and id of the user who has asked for it. Null: the policy of its segment."
    )
    stopped_by: str | None = Field(description="Name and id of the user who has stopped it.")
    message: str | None = Field(description="What it waits for, or how it has ended.")
    ended_at: Shown | None


class ReturnEnvelope(ApiModel):
    """One return."""

    return_: Return = Field(alias="return")


class ReturnsEnvelope(ApiModel):
    """A page of returns, the newest first."""

    returns: list[Return]


class HostGuard(ApiModel):
    """Whether the nova-compute of a host may start."""

    host: str
    may_start: bool
    reason: str
    notification_uuid: str | None = Field(description="Of the recovery that forbids it.")


class HostGuardEnvelope(ApiModel):
    """What a host is told before its nova-compute starts."""

    host_guard: HostGuard
