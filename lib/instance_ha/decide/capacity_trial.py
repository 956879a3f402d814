"""Where Nova's scheduler would most likely put instances: on the host that has most memory free, as by its defaults."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from instance_ha.models.capacity import Need, Room

MEMORY = "MEMORY_MB"
Able = Callable[[Need], Sequence[Room]]  # the hosts that have room for an instance alone, the emptiest first


def left_over(needs: Iterable[Need], able: Able, dead: Collection[str]) -> tuple[str, ...]:
    """Name the instances that find no host when they are placed one after the other."""
    trial = _Trial(able, dead)
    refused: set[object] = set()  # what has found no host: the like of it finds none later either
    left = []
    for need in needs:
        like = tuple(sorted(need.resources.items())), need.hosts, need.group, need.apart
        if like in refused or not trial.place(need):
            refused.add(like)
            left.append(need.instance)
    return tuple(left)


class _Trial:
    """What the hosts are taken for already; of all that nothing has gone to, the emptiest is the best one."""

    def __init__(self, able: Able, dead: Collection[str]) -> None:
        self._able = able
        self._dead = dead
        self._taken: dict[str, dict[str, int]] = {}
        self._rooms: dict[str, Room] = {}
        self._groups: dict[str, set[str]] = defaultdict(set)

    def place(self, need: Need) -> bool:
        """Put an instance on the emptiest host that takes it, if there is one."""
        choices = [room for room in self._rooms.values() if self._takes(room, need)]
        fresh = (room for room in self._able(need) if room.host not in self._rooms and self._takes(room, need))
        choices += [room for room in (next(fresh, None),) if room is not None]
        if not choices:
            return False
        chosen = max(choices, key=lambda room: (self._free(room, MEMORY), room.host))
        self._rooms[chosen.host] = chosen
        taken = self._taken.setdefault(chosen.host, defaultdict(int))
        for resource, amount in need.resources.items():
            taken[resource] += amount
        if need.group:
            self._groups[need.group].add(chosen.host)
        return True

    def _takes(self, room: Room, need: Need) -> bool:
        if room.host in self._dead or not need.may_go_to(room.host):
            return False
        if need.group and room.host in self._groups[need.group]:
            return False
        if room.host not in self._taken:
            return room.takes(need)
        return room.takes(need) and all(self._free(room, one) >= amount for one, amount in need.resources.items())

    def _free(self, room: Room, resource: str) -> int:
        return room.free(resource) - self._taken.get(room.host, {}).get(resource, 0)
