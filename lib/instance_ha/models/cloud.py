"""Facts about the cloud, as far as recovery needs them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

EVACUATION, LIVE_MIGRATION = "evacuation", "live-migration"  # kinds of moves
SOFT_DELETED = "soft-delete"  # a vm_state: its owner has deleted it, and it can be had back for a while

CLOCKS_APART = timedelta(minutes=5)  # at most, Nova's and ours


@dataclass(frozen=True, kw_only=True)
class ComputeService:
    """A nova-compute as Nova sees it."""

    id: str
    host: str
    up: bool
    disabled: bool
    disabled_reason: str | None = None
    forced_down: bool = False
    updated_at: datetime | None = None  # by Nova's clock: by a report of its own, or by a change of its record


@dataclass(frozen=True, kw_only=True)
class ServiceState:
    """Whether any one service of Nova's is up; None: its cell does not answer."""

    binary: str
    host: str
    up: bool | None


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """A group of compute hosts."""

    id: int
    name: str
    hosts: frozenset[str]
    zone: str | None = None  # makes it an availability zone
    metadata: dict[str, str] = field(default_factory=dict)  # what flavors may ask for


@dataclass(frozen=True, kw_only=True)
class ServerGroup:
    """Servers that are kept together, or apart."""

    policy: str  # affinity, anti-affinity, soft-affinity, soft-anti-affinity
    members: frozenset[str]  # by their ids
    id: str


@dataclass(frozen=True, kw_only=True)
class Server:
    """An instance as Nova shows it to an administrator."""

    id: str
    name: str
    host: str | None
    vm_state: str
    task_state: str | None
    power_state: int
    locked: bool
    locked_reason: str | None = None
    fault: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    on_volume: bool = False  # it boots from a volume, so that its disk outlives its host
    extra_specs: dict[str, str] = field(default_factory=dict)  # of its flavor
    shows_extra_specs: bool = True  # whether Nova lets us see them
    project: str = ""
    zone: str | None = None  # the availability zone that it is in


@dataclass(frozen=True, kw_only=True)
class Migration:
    """A record that Nova keeps of an evacuation, or of another move. Ids grow in the order of creation."""

    id: int
    server_id: str
    status: str
    source_host: str
    dest_host: str | None = None
    kind: str = EVACUATION
    created_at: datetime | None = None  # by Nova's clock

    @property
    def moved(self) -> bool:
        """Whether the evacuation has succeeded."""
        return self.status == "done"

    @property
    def failed(self) -> bool:
        """Whether Nova has given the evacuation up."""
        return self.status in {"error", "failed", "cancelled"}

    @property
    def unclear(self) -> bool:
        """Whether the record does not tell how the evacuation stands.

        A nova-compute that comes back makes the records of evacuations from it ``completed``, however far they are;
        the destination may have done its work, be still at it, or never end it.
        """
        return self.status == "completed"

    @property
    def final(self) -> bool:
        """Whether the record will not change any more."""
        return self.moved or self.failed or self.unclear


@dataclass(frozen=True, kw_only=True)
class PowerAction:
    """The last time that Nova was asked to start, stop or reboot an instance.

    ``foreign``: a user asked who is not ours. ``by_nova``: Nova itself did, as when it finds a guest shut off.
    """

    name: str
    request_id: str
    foreign: bool
    by_nova: bool = False
    at: datetime | None = None  # by Nova's clock
    before: "PowerAction | None" = None  # what was done to the instance before that; pause and unpause count here, too

    @property
    def ours(self) -> bool:
        """Whether we have asked."""
        return not self.foreign and not self.by_nova
