"""Priorities over all failed hosts of a segment, by what the rows of a played scenario say."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from instance_ha.models.budget import Rank
from instance_ha.models.rows import VMove
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import vmoves
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

HERE = Path(__file__).parent
MOST, OF_EACH = 12, 4  # evacuations in flight of the segment, and of each notification
PLANNED = timedelta(seconds=1)  # a dispatcher has said by then that it would begin some


def rank(move: VMove) -> Rank:
    return move.facts.priority, move.facts.ha_enabled


def in_flight(moves: Sequence[VMove], at: datetime) -> list[VMove]:
    """Return those that hold a slot then."""
    return [one for one in moves if one.start_time and one.moved_at and one.start_time <= at < one.moved_at]


def able(moves: Sequence[VMove], at: datetime) -> list[VMove]:
    """Return those that could begin then, of each recovery as many as it has slots."""
    found = []
    for uuid in {one.notification_uuid for one in moves}:
        own = [one for one in moves if one.notification_uuid == uuid and one.created_at < at - PLANNED]
        waiting = [one for one in own if one.start_time and one.start_time > at]
        found += waiting[: OF_EACH - len(in_flight(own, at))]
    return found


def test_none_is_asked_for_that_takes_the_slot_of_one_of_a_higher_priority(postgres: Postgres, stage: Stage) -> None:
    with TemporaryDirectory() as own:
        played = Play(Scenario.read(HERE / "ten-hosts-die-priorities-across"), stage, postgres, Path(own))
        played.run()
    with played.simulation.world.database.read() as connection:
        moves = [
            one
            for uuid in played.callers.notifications
            for one in vmoves.of_notification(connection, NotificationUuid(uuid))
        ]
    assert len(moves) == 60
    for move in moves:
        assert move.start_time is not None
        higher = [one for one in able(moves, move.start_time) if rank(one) > rank(move)]
        busy = len(in_flight(moves, move.start_time))
        assert busy <= MOST
        assert busy + len(higher) <= MOST, f"{move.instance_name} before {[one.instance_name for one in higher]}"
