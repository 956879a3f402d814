"""docs/metrics.md, written from what is served."""

from instance_ha.models import metrics
from instance_ha.models.metric import Metric

_HEAD = """# Metrics

<!-- Written by `make docs` from lib/instance_ha/models/metrics.py and local/metrics_document.py: change it there. -->

For Prometheus: `GET /_/metrics`, alert rules in `deploy/prometheus/rules.yaml`, and a dashboard,
`deploy/grafana/instance-ha.json`. Each alert says what to do, and its `runbook_url` is a section of
[operate](operate.md).

## Scrape

1. Create the secret `metrics-token`: a random text ([security](security.md#secrets)). Without it the answer is 404.
2. Scrape one function: `api-segments` (`deploy/prometheus/scrape.yaml`), and keep an instance of it warm. Every
   function answers the same, since all of it comes from Postgres.
3. Give Prometheus the token: `authorization: {credentials_file: …}`. Without it the answer is 401; 503 means that
   Postgres does not answer.

The public routes do not include this path: Prometheus asks the function itself, on OpenFaaS through `/function/`,
and a network policy must allow it.

## How functions count

Functions are scaled to zero, and many run at once, so counters are kept in Postgres:

- **Recoveries that have ended** are counted from their rows when metrics are scraped, and before a purge deletes
  them. Each counts once, also if every invocation that worked on it was killed. Until a recovery ends, its
  evacuations are among the gauges.
- **What no row shows** is counted in memory, and added to Postgres at most every ten seconds, at the end of a
  process, and when it is scraped. A process that is killed loses these counts.
- **Now**: gauges, computed from the rows that are there.

Imported history counts when it is first seen, unless its rows are stored with `counted = true`.

"""
_COLUMNS = "| metric | form | labels | meaning |\n| --- | --- | --- | --- |"
_GROUPS = (
    ("Recoveries that have ended", metrics.GATHERED),
    ("What no row shows", metrics.COUNTED),
    ("Now", metrics.MEASURED),
)
_FOOT = """
Times are in seconds; a `_timestamp_seconds` is Unix time. Counters whose label values are named here start at 0;
others appear with the first count. A histogram has `_bucket`, `_sum` and `_count`; a summary has `_sum` and `_count`.
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
