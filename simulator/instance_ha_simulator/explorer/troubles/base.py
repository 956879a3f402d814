"""What the troubles have in common: moments, names, and how something is put into a world."""

from random import Random
from typing import Any

Data = dict[str, Any]


def moment(random: Random, world: Data) -> float:
    """Choose a moment: mostly while the evacuations go on, else at any time."""
    down = 5.0 + world["cloud"]["service_down_time"]
    lasts = 10.0 + world["cloud"]["evacuate_seconds"]
    usual = random.uniform(down - 5, down + 2 * lasts)
    return round(random.choices((usual, random.uniform(1, down), random.uniform(1, 400)), (6, 2, 2))[0], 2)


def instances(world: Data) -> list[str]:
    """Name all instances."""
    groups = [group for about in world["hosts"].values() for group in (about or {}).get("instances", [])]
    return [name for group in groups for name in group["names"]]


def failing(world: Data) -> list[str]:
    """Name the hosts that fail."""
    return [name for name in world["hosts"] if name.startswith("failing")]


def others(world: Data) -> list[str]:
    """Name the other hosts."""
    return [name for name in world["hosts"] if not name.startswith("failing")]


def instance_with_host(random: Random, world: Data) -> tuple[str, str] | None:
    """Choose an instance, with the host that it is on at the beginning; None: there is none."""
    hosts = [name for name, about in world["hosts"].items() if (about or {}).get("instances")]
    if not hosts:
        return None
    host = random.choice(hosts)
    return str(random.choice(world["hosts"][host]["instances"])["names"][0]), host


def reported_host(about: Any) -> str | None:
    """Name the host that is reported as failed; None: its process is, or an instance, or nothing."""
    if isinstance(about, dict):
        return None if "process" in about or "instance" in about else str(about["host"])
    return about if isinstance(about, str) else None


def happens(world: Data, at: float, what: str, about: Any) -> None:
    """Let something happen at a moment."""
    world["happenings"].append({"at": round(at, 2), what: about})
