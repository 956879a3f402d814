"""What a metric is: its name, its labels, and its samples.

A counter's samples are kept in Postgres under the name and the labels that Prometheus shows, as text; a process that
is scaled to zero loses nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

Series = tuple[str, str]  # a name, and labels as JSON
Values = dict[Series, float]


class Form(StrEnum):
    """What Prometheus takes it for."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"  # of count and sum


@dataclass(frozen=True)
class Metric:
    """A metric; the values of a label are given where they are known before one is seen, so that it starts at 0."""

    name: str
    form: Form
    text: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()

    @property
    def shown(self) -> str:
        """The name as it is asked for, without the suffixes of histograms and summaries."""
        return f"{self.name}_total" if self.form is Form.COUNTER else self.name

    def series(self, suffix: str = "", **labels: str) -> Series:
        """Name one of its samples."""
        return f"{self.shown}{suffix}", json.dumps(labels, sort_keys=True)

    def known(self) -> list[dict[str, str]]:
        """List the labels of the samples that are there before anything is counted."""
        return [dict(zip(self.labels, values, strict=True)) for values in product(*self.labels.values())]

    def observed(self, seconds: float, **labels: str) -> Values:
        """Return what one observation adds to the samples of a histogram or summary; no time is less than none."""
        seconds = max(0.0, seconds)
        added = {self.series("_count", **labels): 1.0, self.series("_sum", **labels): seconds}
        reached = [bound for bound in self.buckets if seconds <= bound]
        return added | {self.series("_bucket", **labels, le=f"{bound:g}"): 1.0 for bound in reached}
