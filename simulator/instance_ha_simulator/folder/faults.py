"""faults.yaml."""

from typing import Literal

from instance_ha.models.breakpoints import Breakpoint
from pydantic import Field

from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import Course, LiveCourse
from instance_ha_simulator.folder.base import Part


class Kill(Part):
    """An invocation is killed."""

    breakpoint: Breakpoint = Field(description="where; models/breakpoints.py has the list")
    nth: int = Field(1, ge=1, description="when the breakpoint is reached for this time")


class Freeze(Kill):
    """An invocation stands still for a while."""

    seconds: float


class TriggerFault(Part):
    """What a broker does to a trigger."""

    do: Literal["lose", "double", "delay"]
    function: str | None = Field(None, description="that it is for; nothing: any")
    nth: int | None = Field(None, description="the first, the second …")
    every: bool | None = None
    seconds: float | None = Field(None, description="until the second delivery, or the late one")


class ReportFault(Part):
    """An answer to a monitor's report."""

    nth: int = Field(description="the first, the second …")
    to: int | None = Field(None, description="the last that is meant")
    answer: int | None = Field(None, description="a status of HTTP")
    after: bool = Field(False, description="the report is taken first, so that only its answer is lost")


class Clock(Part):
    """The clock of the machine that an invocation runs on."""

    function: str
    nth: int | None = Field(None, description="its first, second … invocation; nothing: all")
    ahead: float = Field(description="seconds")


class Span(Part):
    """Trouble that lasts for a while."""

    from_: float = Field(0, alias="from", description="second")
    to: float | None = Field(None, description="second; nothing: for ever")


class BucketFault(Span):
    """The bucket is away, or loses what it is given."""

    do: Literal["gone", "lossy"]


class SinkFault(Span):
    """A sink of events is away, slow, or refuses."""

    sink: str
    do: Literal["away", "slow", "refuse"]
    seconds: float | None = Field(None, description="that a slow one takes")
    match: str = Field("", description="part of the event's type; nothing: all events")


class DatabaseFault(Part):
    """What breaks a transaction of an invocation that may write."""

    nth: int = Field(ge=1, description="the first, the second … of all invocations together")
    do: Literal["cut", "cut_in_commit", "kill", "kill_after"] = Field(
        description="the connection breaks before the commit, or after it; the invocation is killed before it, or after"
    )


class TickFault(Part):
    """What a scheduler does wrong."""

    function: str
    nth: int = Field(ge=1, description="its first, second … tick")
    do: Literal["miss", "late", "twice"]


class Schedule(Part):
    """A random schedule, the same one for the same seed."""

    seed: int
    pauses: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how likely an invocation stands still for up to 3 s before it asks Postgres or Nova",
    )
    jitter: float = Field(0.0, ge=0, description="seconds that triggers are late, at most")


class Faults(Part):
    """What goes wrong."""

    nova: list[Rule] = Field([], description="requests to Nova; the first rule that matches counts")
    evacuations: list[Course] = Field([], description="how the next evacuations of instances go, in order")
    live_migrations: list[LiveCourse] = Field(
        [], description="how the next live migrations go that the API is asked for"
    )
    kill: list[Kill] = Field([], description="invocations that are killed")
    freeze: list[Freeze] = Field([], description="invocations that stand still")
    events: list[TriggerFault] = Field([], description="triggers that are lost, doubled or late")
    reports: list[ReportFault] = Field([], description="reports of monitors that are refused")
    tasks: list[Literal["running", "done", "failed"]] = Field([], description="answers of a task's URL, in order")
    clocks: list[Clock] = Field([], description="clocks that are wrong")
    bucket: list[BucketFault] = Field([], description="trouble with the archive's bucket")
    database: list[DatabaseFault] = Field([], description="transactions that break")
    ticks: list[TickFault] = Field([], description="ticks that are missing, late, or there twice")
    schedule: Schedule | None = Field(None, description="a random order of what happens at the same time, and pauses")
    sinks: list[SinkFault] = Field([], description="trouble with the receivers of events")
