"""Pauses: those in force, and a form for another."""

from typing import Any

from instance_ha.console.visit import Page, Visit
from instance_ha.store import overview

_MOST = 100


def show(visit: Visit) -> dict[str, Any]:
    """Read them."""
    with visit.world.database.read() as connection:
        return {
            "pauses": overview.active_pauses(connection, visit.now, _MOST),
            "segments": overview.all_segments(connection),
        }


PAGE = Page("/pauses", "pauses.html", ("instance-ha:pauses:index", "segments:index"), show)
