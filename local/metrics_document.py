"""docs/metrics.md, written from what is served."""

from instance_ha.models import metrics
from instance_ha.models.metrics import Metric

_HEAD = """# Metrics

<!-- Written by `make docs` from lib/instance_ha/models/metrics.py and local/metrics_document.py: change it there. -->

`GET /_/metrics` answers in Prometheus' text format, at every function, and the same at each: all of it comes from
Postgres. Scrape one: `api-segments`, of which an instance should always be warm, and which answers several at once
(`deploy/prometheus/scrape.yaml`). The public routes do not lead there: Prometheus goes to the function itself, or with
OpenFaaS through `/function/`, and a network policy must let it.

The path exists where the secret `metrics-token` is mounted (a random text, one a line; several while it is changed).
A request must carry one of them as a bearer token: `authorization: {credentials_file: …}` in Prometheus. Without it
the answer is 401, without the secret 404, and 503 while Postgres is away. `/_/health` and `/_/ready` stay open.

`deploy/prometheus/rules.yaml` has alert rules, each with what to do (`runbook_url` is a path of this repository);
`deploy/grafana/instance-ha.json` is a dashboard.

## How functions count

A function is scaled to zero, and many run at once: a counter in a process's memory would be lost, and each process
would show another number. So there are three kinds.

- **Of recoveries that have ended.** The function that is asked for the metrics takes ended recoveries into the table
  `counters` and marks their rows as counted, in one transaction. So each counts once, also if every invocation that
  worked on it was killed; and no counter falls when its rows are purged, which Prometheus would take for a restart,
  and `increase` for failures that there were not. A purge takes in what it is about to delete as well. They grow when
  a recovery ends, not before: until then its evacuations are among the gauges.
- **Of what no row shows.** Counted in memory, and added to the same table at the end of an invocation, by one statement
  if there is anything to add. A process does so at most each ten seconds, and when it ends or is asked for the metrics;
  what its other invocations count meanwhile is added then. A process that is killed takes these counts with it. If
  Postgres does not answer, they are added by the next invocation of that process; no invocation fails for it.
- **Of now.** Gauges, computed from the rows that are there.

History that is imported counts when it is first seen, unless its rows are stored with `counted = true`.

"""
_COLUMNS = "| metric | form | labels | meaning |\n| --- | --- | --- | --- |"
_GROUPS = (
    ("Recoveries that have ended", metrics.GATHERED),
    ("What no row shows", metrics.COUNTED),
    ("Now", metrics.MEASURED),
)
_FOOT = """
Times are seconds; a `_timestamp_seconds` is Unix time. Counters with labels whose values are named here are there from
the start, at 0; others appear with the first count. A histogram has `_bucket`, `_sum` and `_count`; a summary has
`_sum` and `_count`.
"""


def document() -> str:
    """Return the document."""
    parts = [_HEAD]
    for title, group in _GROUPS:
        parts.append("\n".join([f"## {title}\n", _COLUMNS, *(_row(metric) for metric in group)]) + "\n\n")
    return "".join(parts).rstrip() + "\n" + _FOOT


def _row(metric: Metric) -> str:
    labels = "; ".join(f"`{name}`" + _values(values) for name, values in metric.labels.items())
    bounds = f"; buckets to {', '.join(f'{bound:g}' for bound in metric.buckets)}" if metric.buckets else ""
    return f"| `{metric.shown}` | {metric.form}{bounds} | {labels} | {metric.text} |"


def _values(values: tuple[str, ...]) -> str:
    return f": {', '.join(values)}" if values else ""
