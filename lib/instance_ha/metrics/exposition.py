"""Prometheus' text format of what Postgres knows; every function serves the same."""

import json
from collections.abc import Iterator
from typing import Any

from instance_ha.metrics.gather import PATIENCE, take_in
from instance_ha.models import metrics
from instance_ha.models.metric import Form, Metric, Values
from instance_ha.store import counters, measures
from instance_ha.store.database import Database


def read(database: Database) -> Values:
    """Take ended recoveries in, and return the values of all samples that are not what they start at.

    Ages are told by Postgres' clock, as the times of the rows are.

    Raises:
        StoreUnavailable: Postgres does not answer.

    """
    take_in(database)
    now = database.now()
    with database.read(one_moment=True) as connection:
        connection.execute(PATIENCE)
        return counters.read(connection) | measures.measure(connection, now)


def exposition(values: Values) -> tuple[bytes, str]:
    """Return the text, and its content type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(values))
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


class _Collector:
    """Hands values to prometheus_client, in families."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def collect(self) -> Iterator[Any]:
        """Return all families."""
        for metric in metrics.ALL:
            yield self._family(metric)

    def describe(self) -> list[Any]:
        """Name none: nothing else is registered."""
        return []

    def _family(self, metric: Metric) -> Any:
        from prometheus_client import core

        forms = {
            Form.COUNTER: core.CounterMetricFamily,
            Form.GAUGE: core.GaugeMetricFamily,
            Form.HISTOGRAM: core.HistogramMetricFamily,
            Form.SUMMARY: core.SummaryMetricFamily,
        }
        family = forms[metric.form](metric.name, metric.text, labels=list(metric.labels))
        for labels in self._series(metric):
            family.add_metric([labels[name] for name in metric.labels], *self._value(metric, labels))
        return family

    def _series(self, metric: Metric) -> list[dict[str, str]]:
        """List the labels of what was ever seen, and of what is known before."""
        name, _ = metric.series("_count" if metric.form in {Form.HISTOGRAM, Form.SUMMARY} else "")
        seen = [json.loads(labels) for (sample, labels) in self._values if sample == name]
        known = [] if metric is metrics.LAST_POLL else metric.known()
        return sorted(
            (*known, *(labels for labels in seen if labels not in known)), key=lambda one: sorted(one.items())
        )

    def _value(self, metric: Metric, labels: dict[str, str]) -> tuple[Any, ...]:
        def value(suffix: str = "", **more: str) -> float:
            return self._values.get(metric.series(suffix, **labels, **more), 0.0)

        if metric.form is Form.HISTOGRAM:
            bounds = [f"{bound:g}" for bound in metric.buckets]
            buckets = [(bound, value("_bucket", le=bound)) for bound in bounds]
            return [*buckets, ("+Inf", value("_count"))], value("_sum")
        if metric.form is Form.SUMMARY:
            return value("_count"), value("_sum")
        return (value(),)
