"""Whether any order of requests and any choice of Nova's scheduler leaves an instance over: all of them are tried."""

from collections.abc import Iterator, Sequence

from instance_ha.models.capacity import Need, Room

_MOST = 10  # instances
_Free = tuple[tuple[int, ...], ...]  # of each room, of each resource
_Placed = frozenset[tuple[int, int]]  # an instance of a group, and its room
_State = tuple[tuple[int, ...], _Free, _Placed]  # the instances that are still to be placed


def can_be_left_over(needs: Sequence[Need], rooms: Sequence[Room], steps: list[int]) -> bool | None:
    """Try all choices; None: there are too many of them.

    Args:
        needs: the instances of the dead hosts.
        rooms: the hosts that live, and can be chosen.
        steps: how many choices may still be tried, in its only item; it is counted down.

    """
    if len(needs) > _MOST:
        return None
    resources = sorted({one for need in needs for one in need.resources})
    free = tuple(tuple(room.free(one) for one in resources) for room in rooms)
    asked = [tuple(need.resources.get(one, 0) for one in resources) for need in needs]
    able = [
        [place for place, room in enumerate(rooms) if need.may_go_to(room.host) and room.takes(need)] for need in needs
    ]
    begin: _State = tuple(range(len(needs))), free, frozenset()
    seen, waiting = {begin}, [begin]
    while waiting:
        state = waiting.pop()
        for one in state[0]:
            choices = list(_choices(needs, asked[one], able[one], one, state))
            if not choices:
                return True
            steps[0] -= len(choices)
            if steps[0] < 0:
                return None
            for place in choices:
                following = _placed(needs, asked[one], one, place, state)
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
    return False


def _choices(
    needs: Sequence[Need], asked: tuple[int, ...], able: Sequence[int], one: int, state: _State
) -> Iterator[int]:
    _, free, placed = state
    group = needs[one].group
    taken = {place for other, place in placed if needs[other].group == group} if group else set()
    for place in able:
        if place not in taken and all(amount <= had for amount, had in zip(asked, free[place], strict=True)):
            yield place


def _placed(needs: Sequence[Need], asked: tuple[int, ...], one: int, place: int, state: _State) -> _State:
    remaining, free, placed = state
    less = tuple(had - amount for had, amount in zip(free[place], asked, strict=True))
    free = (*free[:place], less, *free[place + 1 :])
    if needs[one].group:
        placed |= {(one, place)}
    return tuple(other for other in remaining if other != one), free, placed
