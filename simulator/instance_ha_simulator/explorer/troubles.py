"""What may go wrong in a drawn world: each trouble adds its happenings and faults, all of which end by themselves."""

from collections.abc import Callable
from random import Random
from typing import Any

from instance_ha.models.breakpoints import Breakpoint

Data = dict[str, Any]

_ELSEWHERE = ("poll", "host-reported", "guest", "event", "batch", "custom", "remote")
_RECOVERY = [point for point in Breakpoint if not point.startswith(_ELSEWHERE)]
_ACTIONS = ("evacuate", "lock", "unlock", "os-resetState", "os-stop", "os-start", "pause", "suspend")
_USERS = ("stops", "starts", "pauses", "unpauses", "suspends", "resumes", "reboots", "resizes", "locks", "unlocks")
_PATHS = ("/servers/detail", "/servers/[^/]+$", "/os-services", "/os-migrations", "/action", "^/compute", "^/identity")


def draw(random: Random, world: Data, count: int) -> Data:
    """Draw so many troubles into a world; returns the faults."""
    faults: Data = {}
    if random.random() < 0.7:
        faults["schedule"] = {"seed": random.randrange(10**6), "pauses": random.choice((0.0, 0.0, 0.05, 0.2))}
        faults["schedule"]["jitter"] = random.choice((0.0, 1.0, 5.0))
    kinds, weights = zip(*_TROUBLES, strict=True)
    for trouble in random.choices(kinds, weights, k=count):
        trouble(random, world, faults)
    return faults


def _at(random: Random, world: Data) -> float:
    """Choose a moment: mostly while the evacuations go on, else at any time."""
    down = 5.0 + world["cloud"]["service_down_time"]
    lasts = 10.0 + world["cloud"]["evacuate_seconds"]
    usual = random.uniform(down - 5, down + 2 * lasts)
    return round(random.choices((usual, random.uniform(1, down), random.uniform(1, 400)), (6, 2, 2))[0], 2)


def _instances(world: Data) -> list[str]:
    groups = [group for about in world["hosts"].values() for group in (about or {}).get("instances", [])]
    return [name for group in groups for name in group["names"]]


def _happens(world: Data, at: float, what: str, about: Any) -> None:
    world["happenings"].append({"at": at, what: about})


def _nova_fails(random: Random, world: Data, faults: Data) -> None:
    rule: Data = {"path": random.choice(_PATHS), "status": random.choice((500, 502, 503, 503, 429, 403, 401, 409, 404))}
    if rule["status"] in (404, 409):
        rule |= {"path": "/action", "method": "POST"}
    _happens(world, _at(random, world), "nova_fault", rule | {"times": random.choice((1, 2, 5))})


def _request_is_lost(random: Random, world: Data, faults: Data) -> None:
    rule: Data = {"path": "/action", "action": random.choice(_ACTIONS), "times": 1}
    how = random.choice(("drop", "drop_after", "fail_after", "late"))
    rule |= {"late": float(random.randint(5, 50))} if how == "late" else {}
    rule |= {"drop": True} if how.startswith("drop") else {}
    rule |= {"after": True} if how.endswith("after") else {}
    rule |= {"status": 504} if how == "fail_after" else {}
    faults.setdefault("nova", []).append(rule)


def _nova_is_slow(random: Random, world: Data, faults: Data) -> None:
    rule = {"path": random.choice(_PATHS), "latency": random.choice((4.0, 12.0, 20.0, 70.0)), "times": 2}
    _happens(world, _at(random, world), "nova_fault", rule)


def _cell_is_down(random: Random, world: Data, faults: Data) -> None:
    at, cell = _at(random, world), random.choice(("cell1", "cell2"))
    _happens(world, at, "cell_stops_answering", cell)
    _happens(world, round(at + random.choice((5, 30, 120)), 2), "cell_answers", cell)


def _cast_is_lost(random: Random, world: Data, faults: Data) -> None:
    _happens(world, 1.0, "lose_casts", 1)


def _events_go_wrong(random: Random, world: Data, faults: Data) -> None:
    fault: Data = {"do": random.choice(("lose", "double", "delay")), "nth": random.randint(1, 4)}
    fault["function"] = random.choice(("recover-host", "recover-instance"))
    fault |= {"seconds": random.choice((0.02, 1.0, 5.0, 40.0, 70.0))} if fault["do"] != "lose" else {}
    faults.setdefault("events", []).append(fault)


def _invocation_is_killed(random: Random, world: Data, faults: Data) -> None:
    faults.setdefault("kill", []).append({"breakpoint": str(random.choice(_RECOVERY)), "nth": random.randint(1, 3)})


def _invocation_freezes(random: Random, world: Data, faults: Data) -> None:
    fault = {"breakpoint": str(random.choice(_RECOVERY)), "nth": random.randint(1, 3)}
    faults.setdefault("freeze", []).append(fault | {"seconds": random.choice((10.0, 50.0, 100.0, 200.0))})


def _transaction_breaks(random: Random, world: Data, faults: Data) -> None:
    fault = {"nth": random.randint(2, 60), "do": random.choice(("cut", "cut_in_commit", "kill", "kill_after"))}
    faults.setdefault("database", []).append(fault)


def _postgres_is_away(random: Random, world: Data, faults: Data) -> None:
    _happens(world, _at(random, world), "postgres_away", random.choice((1.0, 10.0, 60.0)))


def _clock_is_wrong(random: Random, world: Data, faults: Data) -> None:
    fault: Data = {"function": random.choice(("recover-host", "recover-instance", "sweep"))}
    fault |= {"nth": random.randint(1, 3)} if random.random() < 0.5 else {}
    faults.setdefault("clocks", []).append(fault | {"ahead": random.choice((-300.0, -30.0, 30.0, 120.0, 600.0))})


def _tick_is_wrong(random: Random, world: Data, faults: Data) -> None:
    fault = {"function": "sweep", "nth": random.randint(1, 5), "do": random.choice(("miss", "late", "twice"))}
    faults.setdefault("ticks", []).append(fault)


def _tick_too_much(random: Random, world: Data, faults: Data) -> None:
    _happens(world, _at(random, world), "tick", "sweep")


def _another_host_dies(random: Random, world: Data, faults: Data) -> None:
    host, at = random.choice([name for name in world["hosts"] if not name.startswith("failing")]), _at(random, world)
    _happens(world, at, "kill_host", host)
    _happens(world, round(at + random.uniform(0.5, 30), 2), "notify", host)


def _host_comes_back(random: Random, world: Data, faults: Data) -> None:
    host = random.choice([name for name in world["hosts"] if name.startswith("failing")])
    _happens(world, _at(random, world), "start_host", host)


def _host_is_reported_again(random: Random, world: Data, faults: Data) -> None:
    host = random.choice([name for name in world["hosts"] if name.startswith("failing")])
    _happens(world, round(_at(random, world) + random.choice((0.0, 200.0)), 2), "notify", host)


def _live_host_is_reported(random: Random, world: Data, faults: Data) -> None:
    _happens(world, _at(random, world), "notify", random.choice([n for n in world["hosts"] if n.startswith("other")]))


def _owner_acts(random: Random, world: Data, faults: Data) -> None:
    if names := _instances(world):
        for _ in range(random.randint(1, 3)):
            _happens(world, _at(random, world), f"user_{random.choice(_USERS)}", random.choice(names))


def _owner_deletes(random: Random, world: Data, faults: Data) -> None:
    if names := _instances(world):
        what = random.choice(("owner_deletes", "delete_server"))
        _happens(world, _at(random, world), what, random.choice(names))


def _operator_evacuates(random: Random, world: Data, faults: Data) -> None:
    if names := _instances(world):
        _happens(world, _at(random, world), "evacuated_by_hand", random.choice(names))


def _operator_acts(random: Random, world: Data, faults: Data) -> None:
    host = random.choice(list(world["hosts"]))
    at = _at(random, world)
    if (names := _instances(world)) and random.random() < 0.5:
        name = random.choice(names)
        about: Any = {"name": name, "to": random.choice(("active", "error"))}
        what, about = random.choice((("operator_resets", about), ("lock_server", name)))
        _happens(world, at, what, about)
    else:
        _happens(world, at, random.choice(("enable_service", "disable_service")), host)


def _migrates_live(random: Random, world: Data, faults: Data) -> None:
    hosts = [name for name, about in world["hosts"].items() if (about or {}).get("instances")]
    if hosts:
        host = random.choice(hosts)
        name = random.choice(world["hosts"][host]["instances"])["names"][0]
        to = random.choice([other for other in world["hosts"] if other != host])
        _happens(world, 1.0, "live_migration", {"name": name, "to": to})
        if random.random() < 0.7:
            about = {"name": name, "status": random.choice(("completed", "failed"))}
            _happens(world, random.choice((2.0, 4.0)), "live_migration_ends", about)


def _room_changes(random: Random, world: Data, faults: Data) -> None:
    host = random.choice([name for name in world["hosts"] if not name.startswith("failing")])
    at = _at(random, world)
    _happens(world, at, "capacity", {"host": host, "is": random.randint(0, 2)})
    _happens(world, round(at + random.choice((30, 300)), 2), "capacity", {"host": host, "is": None})


def _instance_fails(random: Random, world: Data, faults: Data) -> None:
    hosts = [name for name, about in world["hosts"].items() if (about or {}).get("instances")]
    if hosts:
        host = random.choice(hosts)
        name = random.choice(world["hosts"][host]["instances"])["names"][0]
        _happens(world, _at(random, world), "notify", {"host": host, "instance": name})


def _process_fails(random: Random, world: Data, faults: Data) -> None:
    host = random.choice(list(world["hosts"]))
    _happens(world, _at(random, world), "notify", {"host": host, "process": "nova-compute"})


def _tokens_expire(random: Random, world: Data, faults: Data) -> None:
    _happens(world, _at(random, world), "tokens_expire", True)


def _segment_is_disabled(random: Random, world: Data, faults: Data) -> None:
    at = _at(random, world)
    _happens(world, at, "disable_segment", "one")
    if random.random() < 0.5:
        _happens(world, round(at + 60, 2), "enable_segment", "one")


_TROUBLES: tuple[tuple[Callable[[Random, Data, Data], None], int], ...] = (
    (_nova_fails, 10),
    (_request_is_lost, 12),
    (_nova_is_slow, 5),
    (_cell_is_down, 4),
    (_cast_is_lost, 2),
    (_events_go_wrong, 10),
    (_invocation_is_killed, 12),
    (_invocation_freezes, 6),
    (_transaction_breaks, 10),
    (_postgres_is_away, 4),
    (_clock_is_wrong, 4),
    (_tick_is_wrong, 3),
    (_tick_too_much, 3),
    (_another_host_dies, 6),
    (_host_comes_back, 8),
    (_host_is_reported_again, 5),
    (_live_host_is_reported, 3),
    (_owner_acts, 12),
    (_owner_deletes, 4),
    (_operator_evacuates, 5),
    (_operator_acts, 5),
    (_migrates_live, 3),
    (_room_changes, 4),
    (_instance_fails, 5),
    (_process_fails, 3),
    (_tokens_expire, 2),
    (_segment_is_disabled, 3),
)
