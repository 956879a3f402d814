"""What was measured, kept for those who come later: the newest values of each figure, in one file."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figures import Row, Samples

RESULTS = Path(__file__).with_name("results.json")


def keep(rows: Iterable[Row], machine: str, now: datetime, file: Path = RESULTS) -> None:
    """Write figures down, each with its time and machine; what the file has of others stays."""
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    about = {"measured_at": now.isoformat(timespec="seconds"), "machine": machine}
    known |= {row.what: _figure(row) | about for row in rows}
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


def _figure(row: Row) -> dict[str, Any]:
    beside = None if row.compared is None else {"what": row.against} | _samples(row.compared)
    ratio = row.ratios and round(row.ratios.median, 3)
    aim = {"aim": row.aim, "aim_is_ratio": row.aim_is_ratio, "met": row.met}
    return _samples(row.measured) | {"beside": beside, "ratio": ratio} | aim


def _samples(samples: Samples) -> dict[str, Any]:
    values = [round(value, 4) for value in samples.values]
    return {"median": round(samples.median, 4), "values": values, "unit": samples.unit}
