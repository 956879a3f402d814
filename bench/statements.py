"""The SQL statements and the triggers of a recovery, counted in virtual time: the same on every machine."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

import flask
import structlog
from instance_ha_simulator.play import Play
from sqlalchemy import Engine, event

from bench import plays
from bench.figures import Row, Samples, markdown

AIM = 5.0  # statements an instance
AIM_TRIGGERS = 2.0
FEW, MANY = 20, 200
_LIBRARY = "/instance_ha/"
_METRICS = ("metrics/", "store/counters")  # written after a while, for all invocations of a process
_OF_EVIDENCE_AND_GATES = ("recovery/gates", "recovery/hold", "recovery/storm", "planning/gates", "store/evidence")
_AROUND = ("store/records:", "store/leases:")  # say nothing of what a statement is for


@dataclass
class Counts:
    """What functions have asked of Postgres and of Nova."""

    statements: Counter[tuple[str, str]] = field(default_factory=Counter)  # by function, and by what makes them
    statements_of_gates: int = 0  # and of evidence
    requests_of_gates: int = 0


@dataclass(frozen=True)
class Run:
    """What the recovery of a host with so many instances has cost."""

    instances: int
    counts: Counts
    called: Counter[str]  # by function


def measure(few: int = FEW, many: int = MANY) -> tuple[list[Row], str]:
    """Recover a host of few instances and one of many: what the others cost, an instance costs."""
    with plays.theatre() as theatre:
        small, large = (recover(theatre, count) for count in (few, many))
    less, more = small.counts, large.counts

    def each(of_few: int, of_many: int) -> float:
        return (of_many - of_few) / (many - few)

    gates = "that evidence and gates add"
    rows = [
        _row("SQL statements an instance", each(less.statements.total(), more.statements.total()), 2, AIM),
        _row(f"SQL statements of a recovery of {few} instances", less.statements.total(), 0),
        _row(f"SQL statements {gates} to a recovery", less.statements_of_gates, 0),
        _row(f"SQL statements {gates} an instance", each(less.statements_of_gates, more.statements_of_gates), 2, 0),
        _row(f"requests to Nova {gates} to a recovery", less.requests_of_gates, 0),
        _row(f"requests to Nova {gates} an instance", each(less.requests_of_gates, more.requests_of_gates), 2, 0),
        _row(
            "triggers an instance", each(*(run.called["recover-instance"] for run in (small, large))), 2, AIM_TRIGGERS
        ),
    ]
    return rows, _table(small, large)


def _row(what: str, value: float, digits: int, aim: float | None = None) -> Row:
    return Row(what, Samples((value,), "", digits), aim=aim, aim_is_ratio=False)


def recover(theatre: plays.Theatre, instances: int, seconds: float = 2.0) -> Run:
    """Recover a host of so many instances; an evacuation takes some seconds."""
    happenings = [{"at": 1.0, "kill_host": plays.DEAD}, {"at": 2.0, "notify": plays.DEAD}]
    cloud = {"latency": 0.05, "evacuate_seconds": seconds, "max_limit": 1000}
    world = plays.world(instances, happenings, settings={"force_down": True}, cloud=cloud)
    counts = Counts()

    def count(play: Play) -> None:
        with _counted(counts):
            play.run()

    play, _ = theatre.play(f"recovery_of_{instances}_{seconds:.0f}", world, count)
    return Run(instances, counts, play.simulation.called)


@contextmanager
def _counted(counts: Counts) -> Iterator[None]:
    """Count what functions ask inside."""

    def statement(*_: object) -> None:
        function, ours = structlog.contextvars.get_contextvars().get("function"), list(_ours(sys._getframe(1)))
        made_by = " < ".join([name for name in ours if not name.startswith(_AROUND)][:2])
        if function is not None or made_by.startswith(_METRICS):
            counts.statements[function or "any", made_by] += 1
            counts.statements_of_gates += any(name.startswith(_OF_EVIDENCE_AND_GATES) for name in ours)

    def request(*_: object, **__: object) -> None:
        counts.requests_of_gates += any(name.startswith(_OF_EVIDENCE_AND_GATES) for name in _ours(sys._getframe(1)))

    event.listen(Engine, "before_cursor_execute", statement)
    flask.request_started.connect(request)  # of the simulated cloud: our functions are called without it
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        flask.request_started.disconnect(request)


def _ours(frame: FrameType | None) -> Iterator[str]:
    """Name the functions of ours that are at work, the innermost first."""
    while frame is not None:
        path, _, place = frame.f_code.co_filename.rpartition(_LIBRARY)
        if path:
            yield f"{place.removesuffix('.py')}:{frame.f_code.co_name}"
        frame = frame.f_back


def _table(small: Run, large: Run) -> str:
    more = large.instances - small.instances
    few, many = small.counts.statements, large.counts.statements
    keys = sorted(many | few, key=lambda key: (key[0], -many[key]))
    rows = [(*key, str(few[key]), str(many[key]), f"{(many[key] - few[key]) / more:.2f}") for key in keys]
    head = ("function", "statement", f"{small.instances} instances", f"{large.instances} instances", "an instance")
    called = ", ".join(f"{name} {count}" for name, count in sorted(large.called.items()))
    return (
        f"SQL statements by what makes them:\n\n{markdown(head, rows)}\n\nInvocations for {large.instances}: {called}."
    )
