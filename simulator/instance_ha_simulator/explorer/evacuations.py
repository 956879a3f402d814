"""Which evacuations may be asked for, when they end, and where their instances run; by the cloud's own history."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any

from instance_ha_simulator.checks import our_requests
from instance_ha_simulator.cloud.model import EvacuationRequest
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.explorer.play import Exploration
from instance_ha_simulator.explorer.proof import Rules

# A host that was fenced, forced down and switched on again reports for so long until its reports are taken for life.
FORCED_DOWN_GRACE = 45.0
# Our last look at Nova's evacuations may be so old when an evacuation begins, and as old again when it is asked for.
LOOKED = timedelta(seconds=10)
SEEN_AGAIN_AFTER = 180.0  # until an evacuation that is due is checked: a lease, a sweep, and what they may lose
_OUTAGES = ("nova_faults_end", "postgres_away", "standby_is_promoted", "cell_stops_answering")


def no_evacuation_of_a_live_host(played: Exploration) -> Iterator[str]:
    """None is accepted while its host was not down by the rules."""
    for request in our_requests(played):
        if not request.source_alive or request.cut_off:
            continue
        if request.alive_for > FORCED_DOWN_GRACE:
            yield f"{name_of(played, request.server_id)} evacuated: {request.source} lives for {request.alive_for} s"
        fenced = {host for _, host, _ in played.simulation.fences.requests}
        if not played.simulation.settings.force_down and request.source not in fenced:
            yield f"{name_of(played, request.server_id)} evacuated: {request.source} lives and is not forced down"


def no_evacuation_is_asked_of_a_host_that_is_up(played: Exploration) -> Iterator[str]:
    """None is asked for, although Nova refuses it, while Nova has called its host up for longer than we look back.

    Neither is one of an instance that somebody has brought to a host that is up, longer ago than that.
    """
    us = played.simulation.cloud.identity.users["masakari"].id
    with played.simulation.cloud.world() as world:
        refused = [(request, _came_at(world, request)) for request in world.history.refused if request.by == us]
    for request, came_at in refused:
        late = LOOKED + LOOKED + _stood_still(played, request.time) + _slow_answers(played)
        has_just_come = came_at is not None and request.time - came_at <= late
        if timedelta(seconds=request.alive_for) > late and not has_just_come:
            yield f"an evacuation of {name_of(played, request.server_id)} was asked for: {request.source} is up"


def _came_at(world: World, request: EvacuationRequest) -> datetime | None:
    """Say when an evacuation before a request has brought its instance to where it is; None: none has."""
    of_it = [one for one in world.migrations if one.instance_uuid == request.server_id and one.status == "done"]
    return max((one.updated_at for one in of_it if one.updated_at and one.dest_compute == request.source), default=None)


def evacuations_are_given_up(played: Exploration) -> Iterator[str]:
    """None is waited for longer than is promised; while Nova or Postgres does not answer nobody can end one."""
    if any(what in happening for happening in played.scenario.world["happenings"] for what in _OUTAGES):
        return
    settings = played.simulation.settings
    longest = settings.evacuation_give_up_after + settings.wait_period_after_evacuation + SEEN_AGAIN_AFTER
    limit = timedelta(seconds=longest) + _stood_still(played, None) + _slow_answers(played)
    for move in played.rows.vmoves:
        if move["asked_at"] and move["end_time"] and move["end_time"] - move["asked_at"] > limit:
            yield f"the evacuation of {move['instance_name']} was not given up"


def _stood_still(played: Exploration, until: datetime | None) -> timedelta:
    all_of_them = played.simulation.scheduler.stood_still
    return timedelta(seconds=sum(seconds for since, seconds in all_of_them if until is None or since <= until))


def _slow_answers(played: Exploration) -> timedelta:
    """Say how long Nova's slow answers may have taken in all."""
    rules = [happening["nova_fault"] for happening in played.scenario.world["happenings"] if "nova_fault" in happening]
    return timedelta(seconds=sum(rule.get("latency", 0.0) * rule.get("times", 1) for rule in rules))


def no_two_evacuations_at_once(played: Exploration) -> Iterator[str]:
    """Nobody of us asks for another while one is under way.

    But after an operator whom we could not see, and when the destination was proven dead since.
    """
    rules = Rules(played)
    for request in (one for one in our_requests(played) if one.overlapping):
        if not (_came_after_our_look(played, request) or _went_to_a_dead_host(played, rules, request)):
            yield f"{name_of(played, request.server_id)} evacuated while an evacuation was under way"


def _came_after_our_look(played: Exploration, ours: EvacuationRequest) -> bool:
    """Whether the other evacuation is an operator's that we could not see, though we looked as late as we promise."""
    simulation = played.simulation
    with simulation.cloud.world() as world:
        earlier = takewhile(lambda one: one is not ours, world.evacuation_requests)
        other = [one for one in earlier if one.server_id == ours.server_id][-1]
        looked = world.history.last_read("os-migrations", ours.time)
        lag = timedelta(seconds=world.options.list_lag)
    if looked is None or other.by == ours.by or other.time < looked - lag:
        return False
    stood_still = sum(seconds for at, seconds in simulation.scheduler.stood_still if looked <= at <= ours.time)
    return ours.time - looked <= LOOKED + timedelta(seconds=stood_still)


def _went_to_a_dead_host(played: Exploration, rules: Rules, ours: EvacuationRequest) -> bool:
    """Whether the destination of the evacuation before was dead by the rules when we asked again."""
    with played.simulation.cloud.world() as world:
        evacuations = [one for one in world.migrations if one.migration_type == "evacuation"]
    of_it = [one for one in evacuations if one.instance_uuid == ours.server_id and one.created_at < ours.time]
    before = of_it[-1] if of_it else None
    if before is None or before.dest_compute is None:
        return False
    return rules.is_dead(before.dest_compute, before.created_at, ours.time)


def runs_never_overlap(played: Exploration) -> Iterator[str]:
    """An instance runs in one place at a time."""
    rules = Rules(played)
    with played.simulation.cloud.world() as world:
        # Whether we may evacuate what lives is the question of other checks; a person may.
        excused = {request.server_id for request in world.evacuation_requests if request.source_alive}
        sources = {(request.server_id, request.source) for request in world.evacuation_requests}
        runs, meddled = list(world.history.runs), set(world.history.meddled)
    of: dict[str, list[Any]] = defaultdict(list)
    for run in runs:
        of[run.server_id].append(run)
    for server_id, its in of.items():
        its.sort(key=lambda run: run.since)
        for before, after in pairwise(its):
            if (before.until is not None and before.until <= after.since) or server_id in excused | meddled:
                continue
            # A destination that was taken for dead midway, by the rules: no evacuation from there tells of it.
            is_dest = (server_id, before.host) not in sources
            if not (is_dest and rules.is_dead(before.host, before.since, after.since)):
                yield f"{name_of(played, server_id)} ran on {before.host} and {after.host} at once"


def name_of(played: Exploration, server_id: str) -> str:
    """Return the name of an instance."""
    return played.names.get(server_id, server_id)
