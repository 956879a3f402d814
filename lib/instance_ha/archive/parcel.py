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
class Parcel:
    """What is written, and where."""

    key: str
    data: bytes
    manifest: bytes

    @property
    def manifest_key(self) -> str:
        """Where the manifest is."""
        return manifest_key(self.key)


def name(prefix: str, table: str, ids: Sequence[int]) -> str:
    """Name the object of a batch by its rows."""
    digest = sha256(",".join(map(str, ids)).encode()).hexdigest()[:16]
    return f"{prefix}{table}/{min(ids):012d}-{max(ids):012d}-{digest}.jsonl.gz"


def manifest_key(key: str) -> str:
    """Name the manifest of an object."""
    return f"{key.removesuffix('.jsonl.gz')}.manifest.json"


def pack(key: str, table: str, rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Parcel:
    """Make the object and its manifest; ``about`` is what else the manifest shall say."""
    lines = "".join(f"{json.dumps(row, default=_write, ensure_ascii=False)}\n" for row in rows)
    data = gzip.compress(lines.encode(), mtime=0)
    said = {
        "format": FORMAT,
        "object": key,
        "table": table,
        "rows": len(rows),
        "first_id": rows[0]["id"],
        "last_id": rows[-1]["id"],
        "bytes": len(data),
        "sha256": sha256(data).hexdigest(),
        **{field: _write(value) for field, value in about.items()},
    }
    return Parcel(key, data, f"{json.dumps(said, indent=1)}\n".encode())


def _write(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def ids(data: bytes) -> list[int]:
    """Name the rows that an object holds."""
    return [json.loads(line)["id"] for line in gzip.decompress(data).splitlines()]


def matches(manifest: bytes, data: bytes) -> bool:
    """Say whether an object is what its manifest says."""
    try:
        return bool(json.loads(manifest)["sha256"] == sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError):
        return False
