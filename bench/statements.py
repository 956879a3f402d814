"""The SQL statements and the triggers of a recovery, counted in virtual time: the same on every machine."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from instance_ha.store import migrate
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Play, Scenario
from sqlalchemy import Engine, event

from bench.figures import Row, Samples, markdown

AIM = 5.0  # statements an instance
AIM_TRIGGERS = 2.0
FEW, MANY = 20, 200
_LIBRARY = "/instance_ha/"
_METRICS = ("metrics/", "store/counters")  # written after a while, for all invocations of a process
_AROUND = ("store/records.py", "store/leases.py")  # say nothing of what a statement is for


@dataclass(frozen=True)
class Run:
    """What the recovery of a host with so many instances has cost."""

    instances: int
    statements: Counter[tuple[str, str]]  # by function, and by what makes them
    called: Counter[str]  # by function


def measure(few: int = FEW, many: int = MANY) -> tuple[list[Row], str]:
    """Recover a host of few instances and one of many: what the others cost, an instance costs."""
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        server = Postgres(resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn)
        small, large = (_recover(server, folder, count) for count in (few, many))
    more = many - few
    statements = (large.statements.total() - small.statements.total()) / more
    triggers = (large.called["recover-instance"] - small.called["recover-instance"]) / more
    rows = [
        _row("SQL statements an instance", statements, 2, AIM),
        _row(f"SQL statements of a recovery of {few} instances", small.statements.total(), 0),
        _row("triggers an instance", triggers, 2, AIM_TRIGGERS),
    ]
    return rows, _table(small, large)


def _row(what: str, value: float, digits: int, aim: float | None = None) -> Row:
    return Row(what, Samples((value,), "", digits), aim=aim, aim_is_ratio=False)


def _recover(server: Postgres, folder: Path, instances: int) -> Run:
    name = f"recovery_of_{instances}"
    server.run(f"CREATE DATABASE {name}")
    migrate.upgrade(server.named(name))
    world = {
        "settings": {"force_down": True},
        "cloud": {"latency": 0.05, "evacuate_seconds": 2.0, "max_limit": 1000},
        "boot_at_once": True,
        "hosts": {"dead": {"instances": [{"count": instances}]}, "other1": None, "other2": None},
        "segments": {"one": {"hosts": ["dead", "other1", "other2"]}},
        "happenings": [{"at": 1.0, "kill_host": "dead"}, {"at": 2.0, "notify": "dead"}],
    }
    play = Play(Scenario(folder, world), server.named(name), None, folder)
    with _counted() as statements:
        play.run()
    play.simulation.database.close()
    return Run(instances, statements, play.simulation.called)


@contextmanager
def _counted() -> Iterator[Counter[tuple[str, str]]]:
    """Count the statements that functions make inside."""
    statements: Counter[tuple[str, str]] = Counter()

    def count(*_: object) -> None:
        function, made_by = structlog.contextvars.get_contextvars().get("function"), _made_by()
        if function is not None or made_by.startswith(_METRICS):
            statements[function or "any", made_by] += 1

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def _made_by() -> str:
    """Name what makes the statement that is about to run: the innermost functions of ours that say what it is for."""
    frame, names = sys._getframe(2), list[str]()
    while frame is not None and len(names) < 2:
        path, _, place = frame.f_code.co_filename.rpartition(_LIBRARY)
        if path and place not in _AROUND:
            names.append(f"{place.removesuffix('.py')}:{frame.f_code.co_name}")
        frame = frame.f_back  # type: ignore[assignment]
    return " < ".join(names)


def _table(small: Run, large: Run) -> str:
    more = large.instances - small.instances
    rows = []
    for key in sorted(large.statements | small.statements, key=lambda key: (key[0], -large.statements[key])):
        each = (large.statements[key] - small.statements[key]) / more
        rows.append((*key, str(small.statements[key]), str(large.statements[key]), f"{each:.2f}"))
    head = ("function", "statement", f"{small.instances} instances", f"{large.instances} instances", "an instance")
    called = ", ".join(f"{name} {count}" for name, count in sorted(large.called.items()))
    return (
        f"SQL statements by what makes them:\n\n{markdown(head, rows)}\n\nInvocations for {large.instances}: {called}."
    )
