"""How long the proof of a big segment's capacity takes, and what it needs of memory."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random

from instance_ha.decide.capacity import Segment, capacity
from instance_ha.models.capacity import Inventory, Need, Room

from bench.figures import Row, Samples
from bench.peak import peak

_HOSTS, _INSTANCES = 1000, 20  # instances on a host
_FREE = {"roomy": 0.5, "tight": 0.05, "full": 0.0}  # what hosts have free, of what is used


def measure(runs: int) -> tuple[list[Row], str]:
    """Measure it in a process of its own for each run, in segments with much room and with little."""
    rows = []
    for name, free in _FREE.items():
        found = [_in_process(free) for _ in range(runs)]
        what = f"proof of the capacity of {_HOSTS:,} hosts with {_HOSTS * _INSTANCES:,} instances, {name}"
        rows.append(Row(what, Samples(tuple(one[0] for one in found), "s"), aim=10, aim_is_ratio=False))
        rows.append(
            Row(f"{what}: memory", Samples(tuple(one[1] for one in found), "MB", 0), aim=250, aim_is_ratio=False)
        )
    return rows, ""


def _in_process(free: float) -> tuple[float, float]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_prove, free).result()


def _prove(free: float) -> tuple[float, float]:
    segment = _segment(free)
    begun = time.perf_counter()
    capacity(segment)
    return time.perf_counter() - begun, peak()


def _segment(free: float) -> Segment:
    """Make a segment of three zones and thirty flavors."""
    random = Random(1)
    flavors = [
        {
            "VCPU": random.choice([1, 2, 4, 8, 16]),
            "MEMORY_MB": random.choice([1, 2, 4, 8, 16, 32]) * 1024,
            "DISK_GB": random.choice([0, 10, 40, 80]),
        }
        for _ in range(30)
    ]
    zones = [frozenset(f"host-{n:04}" for n in range(zone, _HOSTS, 3)) for zone in range(3)]
    needs, rooms = {}, []
    for number in range(_HOSTS):
        host = f"host-{number:04}"
        needs[host] = [
            Need(f"{host}-{n}", random.choice(flavors), zones[number % len(zones)]) for n in range(_INSTANCES)
        ]
        rooms.append(Room(host, {one: _inventory(needs[host], one, free) for one in flavors[0]}))
    return Segment(needs=needs, rooms=rooms)


def _inventory(needs: list[Need], resource_class: str, free: float) -> Inventory:
    used = sum(need.resources[resource_class] for need in needs)
    return Inventory(total=used + int(used * free), used=used)
