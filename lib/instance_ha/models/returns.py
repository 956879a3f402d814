"""The way back: a host that was recovered serves again, and its instances go home."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from instance_ha.models.rows import Row
from instance_ha.models.uuids import HostUuid


class ReturnPolicy(StrEnum):
    """Who may bring the recovered hosts of a segment back."""

    MANUAL = "manual"  # an operator asks for it
    AUTO = "auto"  # each that was recovered, as soon as it can be, with its instances
    NEVER = "never"  # nobody by us


class ReturnStatus(StrEnum):
    """How far a return is."""

    WAITING = "waiting"  # something that must be so is not; nothing was changed
    RUNNING = "running"  # the host is being enabled, or instances are on their way home
    FINISHED = "finished"
    STOPPED = "stopped"  # an operator has stopped it
    FAILED = "failed"


OPEN_RETURN = frozenset({ReturnStatus.WAITING, ReturnStatus.RUNNING})


@dataclass(frozen=True, kw_only=True)
class HostReturn(Row):
    """The return of one host, and the state of the work on it."""

    uuid: str
    host_uuid: HostUuid
    status: ReturnStatus = ReturnStatus.WAITING
    move_home: bool  # whether the instances are live-migrated home
    actor: str | None = None  # the id of the user who has asked for it; None: the policy of the segment
    stopped_by: str | None = None  # the id of the user who has asked to stop it
    message: str | None = None
    reports: dict[str, Any] | None = None  # what was heard of the host's nova-compute: decide.service.Reports
    begun_at: datetime | None = None  # since then it does not wait any more
    is_back: bool = False  # it is enabled and off maintenance
    is_planned: bool = False  # the moves home are written down
    ended_at: datetime | None = None
    attempt: int = 0
    tries: int = 0
    due_at: datetime | None = None
    lease_until: datetime | None = None
    lease_owner: str | None = None
