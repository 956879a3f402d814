"""Which machine a method cuts off, however it is spelt: no two hosts may have the same."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple


class Machine(NamedTuple):
    """What has one power: a BMC, or one system of those behind it; None: whichever it is."""

    address: str
    system: str | None = None

    def is_also(self, other: "Machine") -> bool:
        """Whether it is, or may be, the same one."""
        return self.address == other.address and (None in (self.system, other.system) or self.system == other.system)


def at(host: str, port: int | None, usual: int) -> str:
    """Name an address, without its port where that is the usual one: so two methods at one BMC are seen."""
    return host.lower() if port in (None, usual) else f"{host.lower()}:{port}"


def shared(ladders: Mapping[str, Iterable[Machine]]) -> dict[str, str]:
    """Name each host that has a machine of another host, and that other one."""
    by_address: dict[str, list[tuple[str, Machine]]] = defaultdict(list)
    for host, machines in ladders.items():
        for machine in machines:
            by_address[machine.address].append((host, machine))
    found: dict[str, str] = {}
    for there in by_address.values():
        for (one, its), (other, the_others) in combinations(there, 2):
            if one != other and its.is_also(the_others):
                found.setdefault(one, other)
                found.setdefault(other, one)
    return found
