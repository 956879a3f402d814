"""How Nova took each evacuation of a recording, as far as the rows tell."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import VMove
from instance_ha.models.text import NO_VALID_HOST

_NO_ROOM = "Insufficient compute resources"
IS_BACK = re.compile(r"is up again|came back before")
_TOO_LONG = "did not finish the evacuation in time"
DELETED = "the instance was deleted"
_FOR_EVER = 1e6  # seconds


def courses(moves: Sequence[VMove], vm: Callable[[str], str], host: Callable[[str], str]) -> Iterator[dict[str, Any]]:
    """Describe the evacuations that were begun, in the order in which they were (``evacuations`` in faults.yaml)."""
    begun = [move for move in moves if move.start_time is not None]
    for move in sorted(begun, key=lambda move: (move.start_time, move.id)):
        if (course := _course(move, host)) is not None:
            yield {"instance": vm(move.instance_uuid), **course}


def _course(move: VMove, host: Callable[[str], str]) -> dict[str, Any] | None:
    message = move.message or ""
    if move.status is VMoveStatus.SUCCEEDED and move.dest_host:
        return {"to": host(move.dest_host)} | _seconds(move)
    if message == DELETED:
        return {"seconds": _FOR_EVER}
    if move.status is not VMoveStatus.FAILED:
        return None
    if _TOO_LONG in message:
        return {"seconds": _FOR_EVER}
    if NO_VALID_HOST in message:
        return {"fails": "no-valid-host"} | _seconds(move)
    failed_on = move.failed_host or move.dest_host
    if failed_on is None:
        return None if IS_BACK.search(message) else {"fails": "refused"}
    return {"to": host(failed_on), "fails": "claim" if _NO_ROOM in message else "spawn"} | _seconds(move)


def _seconds(move: VMove) -> dict[str, float]:
    """Return how long it took; with the time in which our functions noticed it, which the rows do not tell apart."""
    assert move.start_time is not None
    return {"seconds": round((move.end_time - move.start_time).total_seconds(), 1)} if move.end_time else {}
