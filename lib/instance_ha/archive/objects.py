"""A batch of rows as an object: gzip JSON Lines, and a manifest that says what is in it.

The same rows make the same bytes under the same name, so writing them again changes nothing.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class ArchiveObject:
    """What is written, and where."""

    key: str
    data: bytes
    manifest_key: str
    manifest: bytes


def pack(prefix: str, table: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> ArchiveObject:
    """Make the object and its manifest; ``about`` is what else the manifest holds.

    The object is named by what is in it, not by ids alone: a database that was made anew counts from 1 again.
    """
    lines = "".join(f"{json.dumps(row, default=_write, ensure_ascii=False)}\n" for row in rows)
    data = gzip.compress(lines.encode(), mtime=0)
    digest = sha256(data).hexdigest()
    name = f"{prefix}{table}/{rows[0]['id']:012d}-{rows[-1]['id']:012d}-{digest[:16]}"
    key = f"{name}.jsonl.gz"
    manifest = {
        "format": FORMAT,
        "object": key,
        "table": table,
        "rows": len(rows),
        "first_id": rows[0]["id"],
        "last_id": rows[-1]["id"],
        "bytes": len(data),
        "sha256": digest,
        **{field: _write(value) for field, value in about.items()},
    }
    return ArchiveObject(key, data, f"{name}.manifest.json", f"{json.dumps(manifest, indent=1)}\n".encode())


def _write(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
