"""relay: sends what waits in the outbox, to each sink on its own, at least once, in order about the same thing.

A sink that is unavailable is left alone, with growing pauses, and delays no other. A message that its sink refuses is
retried, and meanwhile keeps back only later ones about the same thing. What has waited too long becomes a dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide.delivery import SinkHealth, dead_letter_before, is_dead_letter, sink_health
from instance_ha.decide.outcome import back_off
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import LeaseLost, SinkRefused, SinkUnavailable, StoreUnavailable
from instance_ha.models.events import Message, Sink
from instance_ha.store import outbox
from instance_ha.ticks import repeat
from instance_ha.world import RelayWorld, new_owner

_BATCH = 50


def relay(world: RelayWorld) -> None:
    """Serve all sinks for the time of one invocation."""
    sinks = world.settings.sinks
    if not sinks:
        return
    world, names = world.for_invocation(), [sink.name for sink in sinks]
    now = world.clock.now()
    with world.database.begin() as connection:
        outbox.register(connection, names)
        oldest = now - timedelta(seconds=world.settings.event_give_up_after)
        outbox.dead_letter_unknown_sinks(connection, names, oldest, now)
    world.map_concurrent(partial(_serve, world), sinks, len(sinks))


def _serve(world: RelayWorld, sink: Sink) -> None:
    """Send to one sink until the invocation's time is up; no error of one sink ends the turn of another."""

    def once(world: RelayWorld, end: datetime) -> datetime | None:
        try:
            delivered = deliver_batch(world, sink, end)
        except StoreUnavailable:
            raise
        except LeaseLost as error:
            log.get().warning("events delayed", reason=str(error))
            return None
        except Exception:
            log.get().exception("unexpected error, will retry")
            return None
        return world.clock.now() if delivered else None

    with log.bound(sink=sink.name):
        repeat(world, "event delivery", once, world.settings.event_interval)


@dataclass
class _Outcome:
    """What became of the messages of one batch; ``unavailable`` says why the rest was not tried."""

    delivered: list[int] = field(default_factory=list)
    refused: list[tuple[Message, str]] = field(default_factory=list)
    unavailable: str | None = None


def deliver_batch(world: RelayWorld, sink: Sink, deadline: datetime) -> bool:
    """Send one batch to one sink, and write down what became of it; returns whether the sink took any.

    Raises:
        StoreUnavailable: Postgres does not answer; what was sent but not written down is sent again.
        LeaseLost: another invocation serves this sink by now.

    """
    owner, now, seconds = new_owner(), world.clock.now(), world.settings.batch_lease_time
    with world.database.begin() as connection:
        claimed = outbox.claim(connection, sink.name, owner, now, seconds)
        if claimed is None:
            return False
        messages = outbox.batch(connection, sink.name, now, _BATCH)
        if not messages:
            outbox.lease(sink.name, owner, seconds).release(connection, claimed["due_at"])
            return False
    # Nothing may be sent under a lease that might have ended: stop early enough.
    outcome = _send(world, sink, messages, min(deadline, now + timedelta(seconds=seconds / 3)))
    now, limit = world.clock.now(), world.settings.event_give_up_after
    before = SinkHealth(claimed["tries"], claimed["failing_since"])
    health = sink_health(before, now, any_delivered=bool(outcome.delivered), reason=outcome.unavailable)
    with world.database.begin() as connection:
        outbox.sent(connection, sink.name, outcome.delivered, now)
        for message, reason in outcome.refused:
            _write_refused(world, connection, sink, message, reason, now)
        if health.failing_since is not None:
            oldest = dead_letter_before(health.failing_since, now, limit)
            dead = outbox.dead_letter_older(connection, sink.name, oldest, health.reason, now) if oldest else 0
            log.get().warning("sink unavailable", reason=health.reason, tries=health.tries, dead_letters=dead or None)
        outbox.lease(sink.name, owner, seconds).release(connection, **vars(health))
    return bool(outcome.delivered)


def _send(world: RelayWorld, sink: Sink, messages: Sequence[Message], until: datetime) -> _Outcome:
    """Send until the time is up, or the sink is not available any more."""
    outcome, kept_back = _Outcome(), set[str]()
    for message in messages:
        if message.event.subject in kept_back:
            continue
        try:
            world.sinks.send(sink, message.event)
        except SinkRefused as error:
            outcome.refused.append((message, str(error)))
            kept_back.add(message.event.subject)
        except SinkUnavailable as error:
            outcome.unavailable = str(error)
            break
        else:
            world.breakpoint(Breakpoint.EVENT_SENT)
            outcome.delivered.append(message.id)
        if world.clock.now() >= until:
            break
    if outcome.delivered:
        log.get().info("events sent", count=len(outcome.delivered))
    return outcome


def _write_refused(
    world: RelayWorld, connection: Connection, sink: Sink, message: Message, reason: str, now: datetime
) -> None:
    """Have it retried later, or make it a dead letter."""
    dead = is_dead_letter(message.event.created_at, now, world.settings.event_give_up_after)
    if dead:
        outbox.dead_letter(connection, sink.name, message, reason, now)
    else:
        outbox.refused(connection, message, reason, back_off(message.tries + 1, now))
    about = {"event_type": message.event.event_type, "subject": message.event.subject}
    log.get().warning("event refused", reason=reason, tries=message.tries + 1, dead_letter=dead or None, **about)
