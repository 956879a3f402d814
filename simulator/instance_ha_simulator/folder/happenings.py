"""What may happen while a scenario lasts."""

from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.folder.base import Part


class ReportedFailure(Part):
    """A report by a monitor."""

    host: str = Field(description="the host that it names")
    process: str | None = Field(None, description="a process of the host has failed")
    instance: str | None = Field(None, description="an instance has failed")
    event: str = Field("LIFECYCLE", description="of an instance: what has happened to it")
    payload: dict[str, str] = Field({}, description="what it says otherwise than usual")

    @model_validator(mode="before")
    @classmethod
    def _host_alone(cls, data: Any) -> Any:
        return {"host": data} if isinstance(data, str) else data


class HostState(Part):
    """A host, and whether something holds for it."""

    host: str
    is_: bool = Field(alias="is")


class Capacity(Part):
    """How many instances of size 1 a host can hold."""

    host: str
    is_: int | None = Field(alias="is", description="nothing: any number")


class LiveMigration(Part):
    """A live migration that begins; it does not end by itself."""

    name: str = Field(description="of the instance")
    to: str = Field(description="the destination")


class ResetState(Part):
    """A reset of an instance's state."""

    name: str = Field(description="of the instance")
    to: Literal["active", "error"]


class LiveMigrationEnd(Part):
    """How a live migration ends."""

    name: str = Field(description="of the instance")
    status: str = Field(description="`completed` has moved the instance, anything else has not")


class PolicyChange(Part):
    """A change of a segment's policy."""

    segment: str
    change: dict[str, Any] = Field(description="such as `{local_disk: evacuate}`")


class PauseBegins(Part):
    """A pause: of a host, of a segment, or else of the cloud."""

    host: str | None = None
    segment: str | None = None
    seconds: float = Field(description="how long it lasts, if nobody ends it")


class ReturnAsked(Part):
    """An operator asks for the return of a host."""

    host: str
    move_home: bool = Field(False, description="its instances go home")


class ApiCall(Part):
    """A request to the API."""

    function: str
    method: str = "GET"
    path: str = Field(description="NOTIFICATION in it stands for the uuid of the last one")
    body: Any = None


class Link(Part):
    """How Consul sees a host."""

    host: str = Field(description="or `all`")
    networks: list[str] | None = Field(None, description="nothing: all networks")
    is_: Literal["up", "down", "left"] = Field(alias="is")


class ConsulAgent(Part):
    """How a network's Consul agent behaves."""

    network: str
    answers: Literal["well", "empty", "refused", "error", "no-leader", "garbage"] | None = None
    token: str | None = Field(None, description="the token that it takes; ours is `token-of-NETWORK`")


class Node(Part):
    """A node of Kubernetes."""

    name: str
    deleted: bool = False
    ready: Literal["True", "False", "Unknown"] | None = None
    cordoned: bool | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Guest(Part):
    """A guest, as libvirt and its agent show it."""

    name: str = Field(description="of the instance")
    agent: Literal["answers", "hangs", "busy", "leaves"] | None = None
    fault: Literal["failed", "io-error"] | None = Field(None, description="of its domain")
    restarted: bool = Field(False, description="its domain runs with a new id")


class Happening(Part):
    """Something that happens: a second, and one of the other keys."""

    at: float = Field(ge=0, description="the second, from the beginning of the story")
    # the hosts
    kill_host: str | None = Field(None, description="a host dies")
    stop_compute: str | None = Field(
        None, description="a host's nova-compute stops, or loses its way to Nova; its guests run on"
    )
    start_host: str | None = Field(None, description="its nova-compute starts again")
    # reports, and others who use the API
    notify: ReportedFailure | None = Field(
        None, description="a host is reported (its name), or what the table below says"
    )
    api: ApiCall | None = Field(None, description="a request to the API, whatever it answers")
    policy: PolicyChange | None = Field(None, description="the policy of a segment is changed")
    pause: PauseBegins | None = Field(None, description="an operator begins a pause")
    unpause: Literal[True] | None = Field(None, description="an operator ends the last pause that was begun")
    approve: str | None = Field(None, description="an operator approves the recovery of the host's last report")
    deny: str | None = Field(None, description="an operator denies it")
    return_host: ReturnAsked | None = Field(None, description="an operator asks for the return of a recovered host")
    stop_return: Literal[True] | None = Field(None, description="an operator stops the newest return")
    reserve_host: str | None = Field(None, description="a host is added to the first segment, reserved")
    maintenance: HostState | None = Field(None, description="a host is put on maintenance, or taken off it")
    disable_segment: str | None = Field(None, description="a segment is disabled")
    enable_segment: str | None = Field(None, description="a segment is enabled")
    purge: dict[str, Any] | None = Field(None, description="a purge, with `age_in_days`, `max_rows`, `dry_run`")
    tick: str | None = Field(None, description="one tick more of a scheduled function")
    # instances and their owners
    breaks: str | None = Field(None, description="an instance goes to error")
    delete_server: str | None = Field(None, description="an instance is deleted at once")
    owner_deletes: str | None = Field(None, description="an instance is deleted as its owner does: by its nova-compute")
    lock_server: str | None = Field(None, description="an operator locks an instance, over any lock that there is")
    user_locks: str | None = Field(None, description="its owner locks an instance; a lock that there is stays")
    user_unlocks: str | None = Field(None, description="its owner unlocks an instance; an operator's lock stays")
    user_pauses: str | None = Field(None, description="its owner pauses an instance")
    user_unpauses: str | None = Field(None, description="its owner lets a paused instance go on")
    user_suspends: str | None = Field(None, description="its owner suspends an instance")
    user_resumes: str | None = Field(None, description="its owner resumes a suspended instance")
    user_reboots: str | None = Field(None, description="its owner reboots an instance")
    user_resizes: str | None = Field(None, description="its owner resizes an instance: it goes to another host")
    user_stops: str | None = Field(None, description="its owner stops an instance")
    user_starts: str | None = Field(None, description="its owner starts an instance")
    guest_shuts_down: str | None = Field(None, description="its owner shuts an instance down from inside")
    instances_change: str | None = Field(None, description="all instances of a host change, so that Nova lists them")
    # operators of Nova
    enable_service: str | None = Field(None, description="a host's compute service is enabled")
    disable_service: str | None = Field(None, description="a host's compute service is disabled")
    operator_resets: ResetState | None = Field(None, description="an operator resets an instance's state")
    evacuated_by_hand: str | None = Field(None, description="an operator evacuates an instance")
    live_migration: LiveMigration | None = Field(None, description="a live migration begins")
    live_migration_switches: str | None = Field(
        None, description="the guest of a live migration goes on at the destination, and Nova does not know it yet"
    )
    live_migration_ends: LiveMigrationEnd | None = Field(None, description="a live migration ends")
    capacity: Capacity | None = Field(None, description="a host can hold more or fewer instances")
    # the cloud misbehaves
    cell_stops_answering: str | None = Field(None, description="the database of a cell is away")
    cell_answers: str | None = Field(None, description="it is back")
    controller_stops: Literal["nova-scheduler", "nova-conductor"] | None = Field(
        None,
        description="a service of the controller stops; an evacuation that is asked for waits until it starts again, "
        "for the scheduler a minute at most",
    )
    controller_starts: Literal["nova-scheduler", "nova-conductor"] | None = Field(None, description="it starts again")
    lose_casts: int | None = Field(None, description="so many evacuations get a record, and go no further")
    nova_fault: Rule | None = Field(None, description="requests to Nova go wrong from now on (`nova` in faults.yaml)")
    nova_faults_end: Literal[True] | None = Field(None, description="all requests to Nova go well again")
    tokens_expire: Literal[True] | None = Field(None, description="Keystone takes no token of before any more")
    # our own database
    postgres_away: float | None = Field(None, description="Postgres does not answer for so many seconds")
    standby_falls_behind: Literal[True] | None = Field(
        None, description="from now on the asynchronous standby of Postgres gets no commit"
    )
    standby_is_promoted: float | None = Field(
        None, description="it becomes the primary, without what it has not got, and answers after so many seconds"
    )
    database: Literal["stop", "start"] | None = Field(None, description="Postgres stops, or starts again")
    sql_admin: str | None = Field(None, description="SQL of the database's administrator; DBNAME is its name")
    # what the monitors see
    link: Link | None = Field(None, description="how Consul sees a host")
    consul: ConsulAgent | None = Field(None, description="how a Consul agent behaves")
    node: Node | None = Field(None, description="a node of Kubernetes changes")
    guest: Guest | None = Field(None, description="a guest changes")

    @model_validator(mode="after")
    def _one(self) -> "Happening":
        what = self.model_fields_set - {"at"}
        if len(what) != 1:
            given = ", ".join(sorted(what)) or "none"
            raise PydanticCustomError("one_thing", "one thing happens at a time, here: {given}", {"given": given})
        return self
