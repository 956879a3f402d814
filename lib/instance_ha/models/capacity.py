"""What instances take and what hosts have, as Placement counts it: amounts of resource classes such as ``VCPU``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Inventory:
    """What a host has of one resource class, in the class's own unit (``MEMORY_MB``: MiB, ``DISK_GB``: GiB)."""

    total: int
    used: int = 0
    reserved: int = 0
    allocation_ratio: float = 1.0
    min_unit: int = 1
    max_unit: int = 2**31 - 1
    step_size: int = 1

    @cached_property  # each segment asks it of every host
    def free(self) -> int:
        """What is still to be had: as Placement reckons it, and never less than nothing."""
        return max(0, int((self.total - self.reserved) * self.allocation_ratio) - self.used)

    def takes(self, amount: int) -> bool:
        """Whether Placement accepts such an amount at all, as long as there is room."""
        return self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0


@dataclass(frozen=True)
class Provider:
    """A resource provider of Placement; a host's own is its own root, its devices and NUMA nodes have it as theirs."""

    uuid: str
    root: str


@dataclass(frozen=True)
class Need:
    """What an instance takes wherever it goes."""

    instance: str
    resources: Mapping[str, int]  # by resource class
    hosts: frozenset[str] | None = None  # the only ones that it may go to; None: any
    group: str | None = None  # a server group whose members must be on different hosts
    apart: tuple[str, ...] = ()  # the hosts of the group's other members, one for each of them

    def may_go_to(self, host: str) -> bool:
        """Whether anything but room, and those of its group who are under way too, keeps it from a host."""
        return (self.hosts is None or host in self.hosts) and (self.group is None or host not in self.apart)


@dataclass(frozen=True)
class Room:
    """A host that instances can be evacuated to."""

    host: str
    inventories: Mapping[str, Inventory]

    def free(self, resource: str) -> int:
        """What is free of a resource class; nothing of one that the host does not have."""
        inventory = self.inventories.get(resource)
        return inventory.free if inventory else 0

    def takes(self, need: Need) -> bool:
        """Whether it has room for an instance alone, as far as resources go."""
        return all(
            (inventory := self.inventories.get(resource)) is not None
            and inventory.takes(amount)
            and inventory.free >= amount
            for resource, amount in need.resources.items()
            if amount
        )
