"""relay: sends what waits in the outbox, to each sink on its own, at least once, in order about the same thing.

A sink that is away rests, with growing pauses, and delays no other. A letter that its sink refuses is offered again,
and meanwhile keeps back only later ones about the same thing. What has waited too long becomes a dead letter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, RowMapping

from instance_ha import log
from instance_ha.decide.delivery import hopeless_before, is_hopeless
from instance_ha.decide.outcome import back_off
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import LeaseLost, SinkRefused, SinkUnavailable, StoreUnavailable
from instance_ha.models.events import Letter, Sink
from instance_ha.store import outbox
from instance_ha.store.leases import Lease
from instance_ha.world import World, new_owner

_BATCH = 50


def relay(world: World) -> None:
    """Serve all sinks for the time of one invocation."""
    sinks, now, deadline = world.settings.sinks, world.clock.now(), world.deadline()
    if not sinks:
        return
    names = [sink.name for sink in sinks]
    with world.database.begin() as connection:
        outbox.register(connection, names)
        oldest = now - timedelta(seconds=world.settings.event_give_up_after)
        outbox.bury_orphans(connection, names, oldest, now)
    world.map_concurrent(partial(_serve, world, deadline), sinks, len(sinks))


def _serve(world: World, deadline: datetime, sink: Sink) -> None:
    with log.bound(sink=sink.name):
        while True:
            pause = timedelta(seconds=0)
            if not _sent_something(world, sink, deadline):
                pause = timedelta(seconds=world.settings.event_interval)
            if world.clock.now() + pause >= deadline:
                return
            if pause:
                world.clock.sleep(pause.total_seconds())


def _sent_something(world: World, sink: Sink, deadline: datetime) -> bool:
    try:
        return relay_once(world, sink, deadline)
    except (StoreUnavailable, LeaseLost) as error:
        log.get().warning("notifications wait", reason=str(error))
    except Exception:  # a defect must end neither this sink's turn nor that of the others
        log.get().exception("relay stumbled")
    return False


@dataclass
class _Round:
    """What came of one batch."""

    sent: list[int] = field(default_factory=list)
    refused: list[tuple[Letter, str]] = field(default_factory=list)
    away: str | None = None


def relay_once(world: World, sink: Sink, deadline: datetime) -> bool:
    """Send one batch to one sink; says whether it took any."""
    owner, now, seconds = new_owner(), world.clock.now(), world.settings.lease_time
    with world.database.begin() as connection:
        served = outbox.claim(connection, sink.name, owner, now, seconds)
        letters = outbox.batch(connection, sink.name, now, _BATCH) if served else []
    if served is None:
        return False
    # Nothing may be sent under a lease that might have ended: stop early enough.
    done = _send(world, sink, letters, min(deadline, now + timedelta(seconds=seconds / 3)))
    lease = outbox.lease(sink.name, owner, seconds)
    with world.database.begin() as connection:
        now = world.clock.now()
        outbox.sent(connection, done.sent, now)
        _note_refused(world, connection, done.refused, now)
        if done.away is None:
            lease.release(connection, None, tries=0, failing_since=None, reason=None)
        else:
            _let_rest(world, connection, lease, served, done)
    return bool(done.sent)


def _send(world: World, sink: Sink, letters: Sequence[Letter], until: datetime) -> _Round:
    """Send until the time is up, or the sink takes nothing more."""
    done, kept_back = _Round(), set[str]()
    for letter in letters:
        if letter.event.subject in kept_back:
            continue
        try:
            world.sinks.send(sink, letter.event)
        except SinkRefused as error:
            done.refused.append((letter, str(error)))
            kept_back.add(letter.event.subject)
        except SinkUnavailable as error:
            done.away = str(error)
            break
        else:
            world.breakpoint(Breakpoint.EVENT_SENT)
            done.sent.append(letter.id)
        if world.clock.now() >= until:
            break
    if done.sent:
        log.get().info("notifications sent", count=len(done.sent))
    return done


def _note_refused(world: World, connection: Connection, refused: Sequence[tuple[Letter, str]], now: datetime) -> None:
    """Offer them again later, or never."""
    for letter, reason in refused:
        dead = is_hopeless(letter.event.created_at, now, world.settings.event_give_up_after)
        if dead:
            outbox.bury(connection, [letter.id], reason, now)
        else:
            outbox.refused(connection, letter, reason, back_off(letter.tries + 1, now))
        about = {"event_type": letter.event.event_type, "subject": letter.event.subject}
        log.get().warning("notification refused", reason=reason, tries=letter.tries + 1, dead=dead or None, **about)


def _let_rest(world: World, connection: Connection, lease: Lease, served: RowMapping, done: _Round) -> None:
    """Leave a sink alone for a while; what has waited for it too long is given up."""
    now, reason = world.clock.now(), done.away or ""
    since = now if done.sent else served["failing_since"] or now
    tries = 1 if done.sent else served["tries"] + 1
    before = hopeless_before(since, now, world.settings.event_give_up_after)
    dead = outbox.bury_older(connection, lease.value, before, reason, now) if before else 0
    lease.release(connection, back_off(tries, now), tries=tries, failing_since=since, reason=reason)
    log.get().warning("sink takes nothing", reason=reason, tries=tries, dead=dead or None)
