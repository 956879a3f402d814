"""The relay in virtual time: who gets what when sinks refuse, are away for good, or come back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from instance_ha.models.events import Event
from instance_ha.relay import relay
from instance_ha.sinks.senders import Senders
from instance_ha.store import outbox
from instance_ha.world import SystemClock, map_concurrent
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text

from tests.followers import Follower
from tests.looks import rows_read
from tests.receivers import drip, receiver

DAY = 86400.0
SETTINGS = {"event_sinks": "one=http://one.test two=http://two.test", "event_interval": "5"}


class Post:
    """An outbox with two sinks."""

    def __init__(self, database_url: str, sinks: list[dict[str, Any]], **settings: str) -> None:
        self.simulation = Simulation(database_url, SETTINGS | settings, CloudOptions(), Faults(sinks=sinks))
        self.world = self.simulation.world

    def write(self, *names: str) -> None:
        """Write events; the first letter of a name is what it is about."""
        now = self.world.clock.now()
        events = [
            Event(event_id=str(uuid4()), event_type=name, subject=name[0], created_at=now, body="{}") for name in names
        ]
        with self.world.database.begin() as connection:
            outbox.add(connection, ["one", "two"], events)

    def at(self, seconds: float, work: Callable[[], Any]) -> None:
        """Plan something."""
        self.simulation.scheduler.spawn("test", work, seconds)

    def relay_each_minute(self, begin: float, end: float) -> None:
        """Let cron call the relay."""
        for minute in range(int((end - begin) // 60)):
            self.at(begin + 60.0 * minute, lambda: relay(self.world))

    def run(self) -> None:
        """Let everything happen."""
        self.simulation.scheduler.run(10 * DAY, lambda: False)

    def got(self, sink: str) -> list[str]:
        """Name what a sink has got."""
        return [event.event_type for event in self.simulation.sinks.of(sink)]

    def states(self, sink: str) -> dict[str, str]:
        """Return the state of each event for a sink."""
        query = text("SELECT event_type, state FROM outbox WHERE sink = :sink ORDER BY id")
        with self.world.database.begin() as connection:
            return {row.event_type: row.state for row in connection.execute(query, {"sink": sink})}


def test_each_sink_gets_every_event_once(database_url: str) -> None:
    post = Post(database_url, [])
    post.write("a1", "b1", "a2")
    post.at(0, lambda: relay(post.world))
    post.at(0, lambda: relay(post.world))
    post.run()
    assert (post.got("one"), post.got("two")) == (["a1", "b1", "a2"], ["a1", "b1", "a2"])
    assert set(post.states("one").values()) == {"sent"}


def test_a_sink_that_is_being_served_is_left_to_its_relay(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "slow", "seconds": 8}])
    post.write("a1", "b1", "a2")
    post.at(0, lambda: relay(post.world))
    post.at(1, lambda: relay(post.world))
    post.run()
    assert post.got("one") == ["a1", "b1", "a2"]


def test_a_refused_event_keeps_back_only_later_ones_about_the_same_thing(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "refuse", "match": "a1", "to": 100}])
    post.write("a1", "b1", "a2", "b2")
    post.relay_each_minute(0, 300)
    post.run()
    assert post.got("one") == ["b1", "b2", "a1", "a2"]
    assert post.got("two") == ["a1", "b1", "a2", "b2"]


def test_an_event_that_is_refused_for_too_long_is_a_dead_letter_and_the_next_ones_go_on(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "refuse", "match": "a1"}], event_give_up_after="600")
    post.write("a1", "a2")
    post.relay_each_minute(0, 900)
    post.run()
    assert post.got("one") == ["a2"]
    assert post.states("one") == {"a1": "dead", "a2": "sent"}


def test_what_has_waited_too_long_for_a_sink_that_is_away_is_dead_and_can_be_sent_again(database_url: str) -> None:
    away = [{"sink": "one", "do": "away", "to": 1500}]
    post = Post(database_url, away, event_give_up_after="600")
    post.write("a1", "b1")
    post.at(1000, lambda: post.write("a2"))
    post.relay_each_minute(0, 1380)
    states: dict[str, str] = {}
    resent: list[int] = []

    def look_and_resend() -> None:
        states.update(post.states("one"))
        with post.world.database.begin() as connection:
            resent.append(outbox.resend(connection, "one", post.world.clock.now()))

    post.at(1510, look_and_resend)
    post.relay_each_minute(1560, 1700)
    post.run()
    assert states == {"a1": "dead", "b1": "dead", "a2": "pending"}
    assert resent == [2]
    assert post.got("one") == ["a1", "b1", "a2"]
    assert post.got("two") == ["a1", "b1", "a2"]


def test_nothing_is_given_up_because_the_relay_itself_was_away(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "away", "from": 3 * DAY, "to": 3 * DAY + 30}])
    post.write("a1")
    post.relay_each_minute(3 * DAY, 3 * DAY + 180)
    post.run()
    assert post.got("one") == ["a1"]


def test_what_waits_for_a_sink_that_is_not_in_the_settings_any_more_dies_with_time(database_url: str) -> None:
    post = Post(database_url, [])
    with post.world.database.begin() as connection:
        now = post.world.clock.now()
        event = Event(event_id="e", event_type="a1", subject="a", created_at=now, body="{}")
        outbox.add(connection, ["gone"], [event])
    states = []
    for at in (60.0, 2 * DAY):
        post.at(at, lambda: relay(post.world))
        post.at(at + 100, lambda: states.append(post.states("gone")["a1"]))
    post.run()
    assert states == ["pending", "dead"]


def test_without_sinks_the_relay_asks_nothing(database_url: str) -> None:
    post = Post(database_url, [], event_sinks="")
    before = post.world.database.statements
    relay(post.world)
    assert post.world.database.statements == before


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_relay_that_is_killed_after_an_event_was_taken_sends_it_again_with_the_same_id(
    database_url: str, nth: int
) -> None:
    post = Post(database_url, [{"sink": "two", "do": "away"}])
    post.simulation.faults.kill.append({"breakpoint": "event-sent", "nth": nth})
    post.write("a1", "a2", "b1")
    post.relay_each_minute(0, 180)
    post.run()
    ids = [event.event_id for event in post.simulation.sinks.of("one")]
    assert (len(ids), len(set(ids))) == (3 + nth, 3)
    assert list(dict.fromkeys(post.got("one"))) == ["a1", "a2", "b1"]


_OLD = """
    INSERT INTO outbox (event_id, created_at, event_type, subject, body, sink, state, done_at)
    SELECT 'old' || n, now(), 't', n % 1000, repeat('x', 1000), 'one', 'sent', now() FROM generate_series(1, 10000) n"""
_MANY = """
    INSERT INTO outbox (event_id, created_at, event_type, subject, body, sink)
    SELECT 'e' || n, now(), 't', n % :things, repeat('x', 1000), 'one' FROM generate_series(1, 10000) n"""
_SENT = "UPDATE outbox SET state = 'sent', done_at = now() WHERE event_id <= 'e5'"


@pytest.mark.parametrize(
    "done",
    [
        (),
        (_OLD, "DELETE FROM outbox", "ANALYZE"),
        (_OLD, "ANALYZE"),
        (_MANY, "ANALYZE"),
        (_MANY, "ANALYZE", _SENT, _OLD),
    ],
)
@pytest.mark.parametrize("things", [1, 1000])
def test_the_next_events_are_found_by_a_look_at_few_others(database_url: str, done: Sequence[str], things: int) -> None:
    """Or a relay of ten times the events would take a hundred times the time."""
    world = Post(database_url, []).world
    now = world.clock.now()
    with world.database.begin() as connection:
        outbox.register(connection, ["one"])
        # Or Postgres may come by in the middle, and keep it that there is nothing in the table.
        connection.execute(text("ALTER TABLE outbox SET (autovacuum_enabled = false)"))
        for statement in done if _MANY in done else (*done, _MANY):
            connection.execute(text(statement), {"things": things} if statement == _MANY else {})
    with world.database.begin() as connection:
        before = rows_read(connection)
        assert outbox.claim(connection, "one", "a relay", now, 45) is not None
        messages = outbox.batch(connection, "one", now, 50)
        outbox.sent(connection, "one", [message.id for message in messages], now)
        assert len(messages) == 50
        assert rows_read(connection) - before < 500


def test_events_that_are_kept_back_stand_in_the_way_of_no_others(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "refuse", "match": "a0"}])
    post.write(*(f"a{n}" for n in range(2000)), "b0")
    post.relay_each_minute(0, 60)
    post.run()
    assert post.got("one") == ["b0"]
    now = post.world.clock.now() + timedelta(minutes=1)
    with post.world.database.begin() as connection:
        before = rows_read(connection)
        assert [message.event.event_type for message in outbox.batch(connection, "one", now, 50)] == ["a0"]
        assert rows_read(connection) - before < 100


def test_all_that_was_kept_back_is_sent_in_its_order(database_url: str) -> None:
    post = Post(database_url, [{"sink": "one", "do": "refuse", "match": "a0", "to": 100}])
    names = [f"a{n}" for n in range(120)]
    post.write(*names)
    post.at(50, lambda: post.write("a120"))
    post.relay_each_minute(0, 300)
    post.run()
    assert post.got("one") == [*names, "a120"]


def test_a_sink_that_answers_a_byte_at_a_time_keeps_no_other_sink_waiting(database_url: str) -> None:
    follower = Follower()
    with receiver(drip(b"HTTP/1.1 204 No Content\r\nX: ")) as url:
        sinks = f"one={url} two={follower.url}"
        post = Post(database_url, [], event_sinks=sinks, event_timeout="0.5", event_interval="0.2", invocation_time="3")
        world = replace(
            post.world,
            clock=SystemClock(),
            sinks=Senders(post.world.settings, {}),
            map_concurrent=map_concurrent,
        )
        now = world.database.now()
        events = [
            Event(event_id=name, event_type=name, subject=name, created_at=now, body="{}") for name in ("a", "b", "c")
        ]
        with world.database.begin() as connection:
            outbox.add(connection, ["one", "two"], events)
        relay(world)
    follower.stop()
    assert [one["id"] for one in follower.got] == ["a", "b", "c"]
    assert set(post.states("one").values()) == {"pending"}
