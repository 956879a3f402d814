"""What a played scenario has ended with, as plain data that can be compared and printed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from instance_ha.models.enums import VMoveStatus

from instance_ha_simulator.checks import broken
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.play import NotOverError, Play
from instance_ha_simulator.scenario import Scenario


@dataclass(frozen=True)
class Outcome:
    """The end of one run."""

    log: list[str]  # a line for each decision, with its second
    notifications: list[tuple[str, str | None]]  # status and message, in the order of the reports
    vmoves: dict[str, str]  # the last status of each instance that was to be evacuated
    broken: list[str]  # a line for each promise that was not kept
    seconds: float  # of virtual time
    requests: int  # to Nova

    @property
    def end(self) -> tuple[object, ...]:
        """What two runs have in common when they ended alike."""
        return tuple(s for s, _ in self.notifications), tuple(sorted(self.vmoves.items())), tuple(self.broken)

    def account(self) -> Iterator[str]:
        """Tell it in a few lines."""
        for number, (status, message) in enumerate(self.notifications, 1):
            yield f"notification-{number}: {status}{f', {message}' if message else ''}"
        yield f"evacuations: {in_words(self.vmoves)}"
        yield from (f"not kept: {line}" for line in self.broken)
        kept = "not every promise was kept" if self.broken else "every promise was kept"
        yield f"{kept}; {self.seconds:.1f} s of virtual time, {self.requests} requests to Nova"

    def line(self) -> str:
        """Tell it in one line."""
        ends = ", ".join(status for status, _ in self.notifications) or "no notification"
        wrong = f"; NOT KEPT: {'; '.join(self.broken)}" if self.broken else ""
        return f"{ends}; evacuations: {in_words(self.vmoves)}; {self.seconds:.1f} s, {self.requests} requests{wrong}"


def difference(outcomes: Mapping[int, Outcome]) -> Iterator[str]:
    """Say which runs, by their seeds, ended alike, the most frequent end first, and how the others differ from it."""
    alike: dict[object, list[int]] = {}
    for seed, outcome in outcomes.items():
        alike.setdefault(outcome.end, []).append(seed)
    groups = sorted(alike.values(), key=len, reverse=True)
    orders = len({tuple(line.split(" ", 1)[1] for line in outcome.log) for outcome in outcomes.values()})
    yield f"{len(outcomes)} runs, {orders} different orders of decisions, {len(groups)} different ends"
    first = outcomes[groups[0][0]]
    for seeds in groups[1:]:
        other = outcomes[seeds[0]]
        yield f"seed {', '.join(map(str, seeds))} ended otherwise than seed {groups[0][0]}:"
        yield from (f"  {what}" for what in _unlike(first, other))


def _unlike(first: Outcome, other: Outcome) -> Iterator[str]:
    for number, (one, another) in enumerate(zip(first.notifications, other.notifications, strict=False), 1):
        if one[0] != another[0]:
            yield f"notification-{number}: {another[0]} instead of {one[0]}"
    if len(first.notifications) != len(other.notifications):
        yield f"{len(other.notifications)} notifications instead of {len(first.notifications)}"
    for name in sorted(first.vmoves.keys() | other.vmoves.keys()):
        if (one_status := first.vmoves.get(name, "not evacuated")) != (
            another_status := other.vmoves.get(name, "not evacuated")
        ):
            yield f"{name}: {another_status} instead of {one_status}"
    yield from (f"not kept: {line}" for line in other.broken if line not in first.broken)
    yield from (f"kept, other than there: {line}" for line in first.broken if line not in other.broken)


def in_words(vmoves: dict[str, str]) -> str:
    """Count evacuations by their status."""
    counts = Counter(vmoves.values())
    return ", ".join(f"{counts[status]} {status}" for status in VMoveStatus if counts[status]) or "none"


def play(scenario: Scenario, databases: Databases) -> Outcome:
    """Play a scenario to its end, in a database of its own.

    Raises:
        Misconfigured: its settings or its flows cannot be used.

    """
    with databases.fresh() as url, TemporaryDirectory() as folder:
        played = Play(scenario, url, databases.server, Path(folder))
        try:
            return _outcome(played, _run(played))
        finally:
            played.simulation.world.database.close()


def _run(played: Play) -> list[str]:
    try:
        played.run()
    except NotOverError as error:
        return [str(error)]
    return []


def _outcome(played: Play, not_over: list[str]) -> Outcome:
    shown = [played.tables.notification(uuid) for uuid in played.callers.notifications]
    asked = sum(times for (_, route), times in played.simulation.cloud.requests.items() if "/compute/" in route)
    return Outcome(
        log=played.lines,
        notifications=[(one["status"], one["message"]) for one in shown],
        vmoves={move["instance_name"]: move["status"] for move in played.tables.vmoves()},
        broken=[*not_over, *broken(played)],
        seconds=played.simulation.scheduler.elapsed,
        requests=asked,
    )
