"""Makes what broke a promise as small as it can be: whatever is not needed for it is left out."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from instance_ha_simulator.explorer.draw import report_only_the_dead
from instance_ha_simulator.explorer.troubles.base import reported_host

Data = dict[str, Any]
Drawn = tuple[Data, Data]  # a world and its faults
_NAMES = re.compile(r"(failing|other|spare)?\d+(\.\d+)?(-\d+)?")
_NEEDED = {"verify_interval", "sweep_interval", "notifications_expired_interval"}  # they only make it quick


def kinds(broken: list[str]) -> set[str]:
    """Return what was broken, without the names and numbers."""
    return {_NAMES.sub("*", what) for what in broken}


def shrink(drawn: Drawn, breaks: Callable[[Data, Data], bool], tries: int = 200) -> Drawn:
    """Leave out one thing after the other while it still ``breaks``, in so many tries at most."""
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(*drawn):
            if not _is_fair(smaller[0]):
                continue
            if tries == 0:
                return drawn
            tries -= 1
            if breaks(*deepcopy(smaller)):
                drawn, shrunk = smaller, True
                break
    return drawn


def _is_fair(world: Data) -> bool:
    """Say whether a world could have been drawn: it keeps to the condition of force_down, if that is set."""
    return not world["settings"].get("force_down") or report_only_the_dead(world) == world["happenings"]


def _smaller(world: Data, faults: Data) -> Iterator[Drawn]:
    """Yield all that is one thing smaller, the big things first."""
    for host in list(world["hosts"]):
        yield _without_host(world, host), faults
    for fewer in _fewer_faults(faults):
        yield world, fewer
    for number, happening in enumerate(world["happenings"]):
        rest = _but(world["happenings"], number)
        reported = reported_host(happening.get("notify"))
        if reported is None or _is_reported(rest, reported):
            yield world | {"happenings": rest}, faults
    for host, about in world["hosts"].items():
        for number in range(len((about or {}).get("instances", []))):
            yield _without_instance(world, host, number), faults
    for simpler in (*_with_less_proof(world), *_with_fewer_options(world)):
        yield simpler, faults


def _with_less_proof(world: Data) -> Iterator[Data]:
    """Yield the worlds without the policy of a segment, and without what cuts the power of a host."""
    for name, about in world["segments"].items():
        if "policy" in about:
            yield world | {"segments": world["segments"] | {name: _without(about, "policy")}}
    for host in world.get("bmcs", {}):
        yield world | {"bmcs": _without(world["bmcs"], host)}


def _with_fewer_options(world: Data) -> Iterator[Data]:
    for part in ("settings", "cloud"):
        for name in world[part].keys() - _NEEDED:
            yield world | {part: _without(world[part], name)}


def _without(data: Data, name: str) -> Data:
    return {key: value for key, value in data.items() if key != name}


def _fewer_faults(faults: Data) -> Iterator[Data]:
    for kind, these in faults.items():
        if isinstance(these, list) and len(these) > 1:
            for number in range(len(these)):
                yield faults | {kind: _but(these, number)}
        else:
            yield _without(faults, kind)


def _is_reported(happenings: list[Data], host: str) -> bool:
    """Say whether a host lives, or its last death is reported: of one that nobody reports nothing is promised."""
    about_it = (one for one in reversed(happenings) if host in (one.get("kill_host"), reported_host(one.get("notify"))))
    last = next(about_it, {})
    return "kill_host" not in last


def _but(things: list[Any], number: int) -> list[Any]:
    return [*things[:number], *things[number + 1 :]]


def _without_host(world: Data, host: str) -> Data:
    made = deepcopy(world)
    instances = (made["hosts"].pop(host) or {}).get("instances", [])
    gone = {host, *(name for group in instances for name in group["names"])}
    for about in [*made["segments"].values(), *made.get("aggregates", {}).values()]:
        for part in ("hosts", "reserved"):
            if part in about:
                about[part] = [name for name in about[part] if name != host]
    made["disabled"] = [name for name in made.get("disabled", []) if name != host]
    made.get("bmcs", {}).pop(host, None)
    made["happenings"] = [happening for happening in made["happenings"] if not gone & _names(happening)]
    return made


def _without_instance(world: Data, host: str, number: int) -> Data:
    made = deepcopy(world)
    gone = set(made["hosts"][host]["instances"].pop(number)["names"])
    made["happenings"] = [happening for happening in made["happenings"] if not gone & _names(happening)]
    return made


def _names(happening: Data) -> set[str]:
    """Name the hosts and instances that a happening is about, among other words."""
    found: set[str] = set()
    for about in happening.values():
        found |= _names(about) if isinstance(about, dict) else {str(about)}
    return found
