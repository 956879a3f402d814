"""A recovery: why it is where it is, the timeline of its instances, and each of them."""

from typing import Any

from instance_ha.console.shares import share
from instance_ha.console.timeline import Phase, draw, phase_of
from instance_ha.console.visit import Page, Visit
from instance_ha.decide.explanation import explain
from instance_ha.decide.outcome import latest
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations

_SIZE = 50


def show(visit: Visit) -> dict[str, Any]:
    """Read it; so many statements, however many instances it has."""
    with visit.world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(visit.path["notification"]))
    moves = sorted(latest(rows.moves), key=lambda move: (-move.facts.priority, move.position, move.id))
    wanted = visit.query.get("phase")
    chosen = [move for move in moves if wanted in (None, phase_of(move))]
    return {
        "rows": rows,
        "row": rows.notification,
        "explanation": explain(rows, visit.now),
        "timeline": draw(moves, rows.notification.created_at, visit.now),
        "phases": list(Phase),
        "phase_of": phase_of,
        "wanted": wanted,
        "instances": share(chosen, visit.query.get("page"), _SIZE),
        "tasks": [task for task in rows.tasks if task.attempt == rows.notification.attempt],
    }


PAGE = Page(
    "/recoveries/<notification>",
    "recovery.html",
    ("notifications:detail", "vmoves:index", "instance-ha:explanations:detail"),
    show,
)
