"""What a route declares: who may use it, what it takes and answers. The web layer and the OpenAPI document read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from instance_ha.api.schemas.base import Nothing
from instance_ha.models.rows import Caller
from instance_ha.models.uuids import HostUuid, NotificationUuid, SegmentUuid, VMoveUuid
from instance_ha.world import ApiWorld

Asked = TypeVar("Asked", bound=BaseModel)


@dataclass(frozen=True)
class Call:
    """One request, checked as far as it can be without knowing what it asks for."""

    world: ApiWorld
    caller: Caller | None
    version: tuple[int, int]
    path: Mapping[str, str]
    base_url: str
    request_id: str

    @property
    def segment_uuid(self) -> SegmentUuid:
        """The segment that the path names."""
        return SegmentUuid(self.path["segment_id"])

    @property
    def host_uuid(self) -> HostUuid:
        """The host that the path names."""
        return HostUuid(self.path["host_id"])

    @property
    def notification_uuid(self) -> NotificationUuid:
        """The notification that the path names."""
        return NotificationUuid(self.path["notification_id"])

    @property
    def vmove_uuid(self) -> VMoveUuid:
        """The vmove that the path names."""
        return VMoveUuid(self.path["vmove_id"])


@dataclass(frozen=True)
class Operation(Generic[Asked]):
    """What one method of a route does. The handler's docstring is its description."""

    handler: Callable[[Call, Asked], BaseModel | None]
    answers: type[BaseModel] | None
    asks: type[Asked] = field(default=Nothing)  # type: ignore[assignment]  # no default can be of every type
    rule: str | None = None  # of the policy; without one anybody may
    status: int = 200
    refusals: tuple[int, ...] = ()  # codes beyond those that every operation of its kind has

    @property
    def summary(self) -> str:
        """Describe it in a line."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]


@dataclass(frozen=True)
class Route:
    """A path and its operations by method; ``public`` ones need no token and have no microversion."""

    path: str
    methods: Mapping[str, Operation[Any]]
    public: bool = False
