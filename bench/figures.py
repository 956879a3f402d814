"""Figures beside their comparisons, as one markdown table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Samples:
    """What several runs measured."""

    values: tuple[float, ...]
    unit: str
    digits: int = 2

    @property
    def median(self) -> float:
        """The middle of the values."""
        return median(self.values)

    def __str__(self) -> str:
        return f"{self.median:.{self.digits}f} {self.unit}".rstrip()

    @property
    def spread(self) -> str:
        """The least and the greatest value."""
        if len(self.values) == 1:
            return "1 run"
        return f"{min(self.values):.{self.digits}f}..{max(self.values):.{self.digits}f}"


@dataclass(frozen=True)
class Row:
    """One figure, and the most that it, or its ratio to what was measured beside it in the same run, may be."""

    what: str
    measured: Samples
    against: str = ""
    compared: Samples | None = None
    aim: float | None = None
    aim_is_ratio: bool = True

    @property
    def ratios(self) -> Samples | None:
        """How many times the comparison the figure is, run by run: the machine is as busy for one as for the other."""
        if self.compared is None:
            return None
        pairs = zip(self.measured.values, self.compared.values, strict=True)
        return Samples(tuple(ours / theirs for ours, theirs in pairs), "")

    @property
    def met(self) -> bool | None:
        """Whether the figure is what it should be; None without an aim."""
        compared = self.ratios if self.aim_is_ratio else self.measured
        return None if self.aim is None or compared is None else compared.median <= self.aim

    def cells(self) -> tuple[str, ...]:
        """The row as texts."""
        compared, ratios = self.compared, self.ratios
        return (
            self.what,
            str(self.measured),
            self.measured.spread,
            f"{self.against}: {compared}" if compared else "",
            compared.spread if compared else "",
            str(ratios) if ratios else "",
            ratios.spread if ratios else "",
            self._aim(),
            {True: "yes", False: "NO", None: ""}[self.met],
        )

    def _aim(self) -> str:
        if self.aim is None:
            return ""
        return f"ratio <= {self.aim:g}" if self.aim_is_ratio else f"<= {self.aim:g} {self.measured.unit}"


_HEAD = ("figure", "median", "min..max", "compared with", "min..max", "ratio", "min..max", "aim", "met")


def table(rows: Sequence[Row]) -> str:
    """Return the figures as a table."""
    return markdown(_HEAD, (row.cells() for row in rows))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a markdown table that is aligned for a terminal too."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(f"| {' | '.join(c.ljust(w) for c, w in zip(line, widths, strict=True))} |" for line in lines)
