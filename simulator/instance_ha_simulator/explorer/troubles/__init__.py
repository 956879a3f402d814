"""What may go wrong in a drawn world: each trouble adds its happenings and faults."""

from collections.abc import Callable
from random import Random

from instance_ha_simulator.explorer.troubles import cloud, gates, people, platform, proof, returns
from instance_ha_simulator.explorer.troubles.base import Data

TROUBLES: tuple[tuple[Callable[[Random, Data, Data], None], int], ...] = (  # with their weights
    (cloud.nova_fails, 10),
    (cloud.nova_refuses_for_a_while, 4),
    (cloud.keystone_is_away, 2),
    (cloud.tokens_expire, 2),
    (cloud.right_is_missing, 3),
    (cloud.request_is_lost, 12),
    (cloud.nova_is_slow, 5),
    (cloud.cell_is_down, 4),
    (cloud.cast_is_lost, 2),
    (cloud.evacuations_fail, 6),
    (cloud.evacuation_lasts, 2),
    (cloud.destination_goes_down, 4),
    (cloud.room_changes, 4),
    (platform.events_go_wrong, 10),
    (platform.invocation_is_killed, 12),
    (platform.invocation_freezes, 6),
    (platform.transaction_breaks, 10),
    (platform.postgres_is_away, 4),
    (platform.postgres_fails_over, 4),
    (platform.clock_is_wrong, 4),
    (platform.tick_is_wrong, 3),
    (platform.tick_too_much, 3),
    (people.another_host_dies, 6),
    (people.host_comes_back, 8),
    (people.host_is_reported_again, 5),
    (people.live_host_is_reported, 3),
    (people.instance_fails, 5),
    (people.process_fails, 3),
    (people.owner_acts, 12),
    (people.owner_deletes, 4),
    (people.operator_evacuates, 5),
    (people.operator_acts, 5),
    (people.migrates_live, 6),
    (people.segment_is_disabled, 3),
    (proof.host_is_cut_off, 6),
    (proof.system_says, 5),
    (proof.person_confirms, 5),
    (proof.operator_changes_policy, 3),
    (proof.operator_forbids_fences, 2),
)

Trouble = Callable[[Random, Data, Data], None]
# What most troubles of a world are of, where one kind is asked for.
KINDS: dict[str, tuple[Trouble, ...]] = {
    "destinations": (cloud.destination_goes_down, cloud.evacuation_lasts, people.another_host_dies),
    "fences": (proof.operator_forbids_fences, proof.operator_changes_policy, proof.system_says, proof.host_is_cut_off),
    "gates": (
        gates.operator_pauses,
        gates.operator_decides,
        gates.mode_changes,
        gates.controller_is_down,
        people.another_host_dies,
    ),
    "holds": (proof.host_is_cut_off, proof.system_says, proof.person_confirms, proof.operator_changes_policy),
    "kills": (platform.invocation_is_killed, platform.invocation_freezes, platform.transaction_breaks),
    "owners": (people.owner_acts, people.owner_deletes, people.instance_fails, people.operator_evacuates),
    "requests": (cloud.request_is_lost, cloud.evacuations_fail, cloud.evacuation_lasts, cloud.cast_is_lost),
    "homes": (
        returns.operator_returns_host,
        returns.operator_returns_host,
        returns.hosts_return_by_themselves,
        returns.returned_host_dies_again,
        returns.live_migrations_fail,
    ),
    "returns": (people.host_comes_back, people.host_is_reported_again, people.live_host_is_reported),
    "segments": (people.segment_is_disabled, people.operator_acts, people.another_host_dies),
}
_OF_ITS_KIND = 0.75  # how likely a trouble is then


def draw(random: Random, world: Data, count: int, kind: str | None = None) -> Data:
    """Draw so many troubles into a world, mostly of a kind if one is asked for; returns the faults."""
    faults: Data = {}
    if random.random() < 0.7:
        faults["schedule"] = {"seed": random.randrange(10**6), "pauses": random.choice((0.0, 0.0, 0.05, 0.2))}
        faults["schedule"]["jitter"] = random.choice((0.0, 1.0, 5.0))
    kinds, weights = zip(*TROUBLES, strict=True)
    for trouble in random.choices(kinds, weights, k=count):
        is_of_kind = kind is not None and random.random() < _OF_ITS_KIND
        (random.choice(KINDS[kind]) if kind is not None and is_of_kind else trouble)(random, world, faults)
    return faults
