"""Draws a world and what goes wrong in it: the same data for the same seed, in the words of a scenario folder."""

from dataclasses import dataclass
from random import Random
from typing import Any

from instance_ha_simulator.explorer import troubles
from instance_ha_simulator.explorer.troubles.base import reported_host
from instance_ha_simulator.explorer.troubles.proof import DEAD_WHEN, FENCE, ladder

Data = dict[str, Any]

METHODS = ("auto", "auto", "reserved_host", "auto_priority", "rh_priority")
_STATES: tuple[Data, ...] = (
    *({},) * 6,
    {"vm_state": "stopped"},
    {"vm_state": "stopped"},
    {"vm_state": "paused"},
    {"vm_state": "suspended"},
    {"vm_state": "error"},
    {"vm_state": "rescued"},
    {"vm_state": "resized"},
    {"vm_state": "resized", "power_state": 4},
    {"vm_state": "building", "task_state": "spawning"},
    {"task_state": "rebooting"},
    {"task_state": "powering-off"},
    {"vm_state": "stopped", "task_state": "powering-on"},
    {"task_state": "deleting"},
    {"task_state": "image_snapshot"},
)
_KILLED_AT = 5.0
_LIMITED = 0.15  # how likely the number of attempts is limited
_EXPIRED = 700  # seconds
# In bounded worlds all ends sooner, since each attempt is much like the one before: an evacuation is given up in time
# for another attempt, or is under way at the end.
_LIMITED_BOUNDED, _EXPIRED_BOUNDED = 0.6, {200: 400, 600: 600}
_WITH_POLICY = 0.35  # how likely the segment's policy is not the default
_ABOUT_POLICIES = ("fences", "holds")


@dataclass(frozen=True)
class Size:
    """How big a world may be."""

    failing: int
    instances: int  # of each failing host
    troubles: int


TINY, SMALL, MIDDLE, LARGE = Size(1, 1, 2), Size(1, 2, 3), Size(2, 4, 4), Size(8, 60, 6)
LARGE_EVERY = 40  # seeds, where large worlds are drawn
_BOUNDED, _ANY = (75, 22, 3), (0, 85, 15)  # how often one is tiny, small and of middle size


def draw(seed: int, *, large: bool = False, kind: str | None = None) -> tuple[Data, Data]:
    """Return a world and its faults.

    With ``large`` worlds are larger, and every fortieth is a large one. A ``kind`` (troubles.KINDS) is what most of the
    troubles are of, and there is one at least; where it is about policies, each segment has one.
    """
    random = Random(seed)  # noqa: S311 no secret depends on it
    size = (
        LARGE
        if large and seed % LARGE_EVERY == 0
        else random.choices((TINY, SMALL, MIDDLE), _ANY if large else _BOUNDED)[0]
    )
    world = _world(random, size, kind, large=large)
    faults = troubles.draw(random, world, random.randint(int(kind is not None), size.troubles), kind)
    world["happenings"].sort(key=lambda happening: happening["at"])
    if world["settings"].get("force_down"):
        world["happenings"] = report_only_the_dead(world)
    return world, faults


def report_only_the_dead(world: Data) -> list[Data]:
    """Return what of a world's happenings keeps to the condition of force_down.

    Each host that is reported has been fenced, and was off until then.
    """
    dead: set[str] = set()
    reported: set[str] = set()
    kept = []
    for happening in world["happenings"]:
        dead |= {happening["kill_host"]} if "kill_host" in happening else set()
        about = reported_host(happening.get("notify"))
        if about in dead:
            reported.add(about)
        is_early_start = happening.get("start_host") in dead - reported
        if not is_early_start and (about is None or about in dead):
            kept.append(happening)
    return kept


def _world(random: Random, size: Size, kind: str | None, *, large: bool) -> Data:
    failing = [f"failing{number}" for number in range(1, random.randint(1, size.failing) + 1)]
    others = [f"other{number}" for number in range(1, random.randint(1, 3) + 1)]
    method = random.choice(METHODS)
    most = 2 if method != "auto" else random.choice((0, 0, 1))
    reserved = [f"spare{number}" for number in range(1, random.randint(0, most) + 1)]
    hosts: Data = {name: _failing_host(random, name, size) for name in failing}
    hosts |= {name: _other_host(random, name) for name in others}
    hosts |= dict.fromkeys(reserved)
    world: Data = {
        "settings": _settings(random, large=large),
        "cloud": _cloud(random, others),
        "hosts": hosts,
        "segments": {"one": {"hosts": [*failing, *others], "method": method, "reserved": reserved}},
        "disabled": [name for name in reserved if random.random() < 0.8],
        "happenings": [],
    }
    if random.random() < _WITH_POLICY or kind in _ABOUT_POLICIES:
        _ask_for_proof(random, world)
    if world["settings"].get("add_reserved_host_to_aggregate"):
        world["aggregates"] = {"one": {"hosts": [*failing, *others], "zone": random.choice((None, "west"))}}
    at = _KILLED_AT
    for name in failing:
        world["happenings"].append({"at": at, "kill_host": name})
        world["happenings"].append({"at": round(at + random.uniform(0.5, 15), 2), "notify": name})
        at = round(at + random.choice((0.0, 1.0, 15.0, 60.0)), 2)
    return world


def _ask_for_proof(random: Random, world: Data) -> None:
    """Have the segment ask for more than Nova's word, and its hosts have something that cuts their power."""
    policy: Data = {"dead_when": random.choice(DEAD_WHEN), "fence": random.choice(FENCE)}
    if random.random() < 0.3:
        policy["local_disk"] = random.choice(("leave", "hold"))
    world["segments"]["one"]["policy"] = policy
    world["bmcs"] = {host: rungs for host in world["hosts"] if (rungs := ladder(random))}
    if random.random() < 0.1:
        world["settings"]["never_fence"] = random.choice(("failing*", "other1"))


def _failing_host(random: Random, host: str, size: Size) -> Data:
    groups = []
    for number in range(1, random.randint(0, size.instances) + 1):
        group = {"names": [f"{host}-{number}"], **random.choice(_STATES)}
        if random.random() < 0.5:
            group["ha"] = True
        if random.random() < 0.1:
            group["locked"] = True
        metadata = {"HA_Priority": str(random.randint(0, 3))} if random.random() < 0.1 else {}
        if random.random() < 0.05:
            metadata["HA_Never"] = "true"
        groups.append(group | ({"metadata": metadata} if metadata else {}))
    about: Data = {"instances": groups, **({"cell": "cell2"} if random.random() < 0.3 else {})}
    return about | ({"old_service_in": "cell1"} if random.random() < 0.1 else {})


def _other_host(random: Random, host: str) -> Data:
    about: Data = {"instances": [{"names": [f"{host}-1"]}]} if random.random() < 0.3 else {}
    if random.random() < 0.15:
        about["capacity"] = random.randint(0, 4)
    return about | ({"old_service_in": "cell2"} if random.random() < 0.1 else {})


def _settings(random: Random, *, large: bool) -> Data:
    settings: Data = {
        "verify_interval": 10,
        "sweep_interval": 50,
        "process_unfinished_notifications_interval": random.choice((20, 60, 120)),
        "evacuation_give_up_after": random.choice((200, 600)),
        "wait_period_after_evacuation": random.choice((20, 90)),
        "wait_period_after_service_update": random.choice((60, 180)),
    }
    maybe: list[tuple[float, Data]] = [
        (0.2, {"force_down": True}),
        (0.2, {"host_failure_recovery_threads": random.choice((1, 2))}),
        (0.15, {"evacuate_all_instances": False}),
        (0.15, {"ignore_instances_in_error_state": True}),
        (0.15, {"ha_opt_out_metadata_key": "HA_Never"}),
        (0.15, {"share_reserved_hosts": True}),
        (0.15, {"add_reserved_host_to_aggregate": True}),
        (0.15, {"start_stopped_instances": True}),
        (0.15, {"evacuation_abort_after": random.choice((0, 1, 2))}),
        (0.15, {"invocation_time": 20}),
        (_LIMITED if large else _LIMITED_BOUNDED, {"recovery_attempts": random.choice((1, 2, 3))}),
    ]
    for chance, values in maybe:
        settings |= values if random.random() < chance else {}
    expired = _EXPIRED if large else _EXPIRED_BOUNDED[settings["evacuation_give_up_after"]]
    return settings | {"notifications_expired_interval": expired}


def _cloud(random: Random, others: list[str]) -> Data:
    options: Data = {
        "service_down_time": random.choice((20.0, 20.0, 20.0, 60.0)),
        "evacuate_seconds": random.choice((1.0, 3.0, 8.0, 30.0)),
        "latency": random.choice((0.0, 0.0, 0.1)),
        "disable_rpc_timeout": 60.0,
    }
    maybe: list[tuple[float, Data]] = [
        (0.1, {"max_limit": random.choice((1, 2, 3))}),
        (0.1, {"host_filter": False}),
        (0.1, {"list_lag": random.choice((0.5, 2.0))}),
        (0.07, {"spawn_fails_on": [random.choice(others)]}),
        (0.07, {"claim_fails_on": [random.choice(others)]}),
        (0.5, {"resume_guests": True}),
    ]
    for chance, values in maybe:
        options |= values if random.random() < chance else {}
    return options
