"""``instance-ha readiness``: what each segment would survive now; nothing is changed."""

import argparse
from collections.abc import Iterator
from typing import Any

from instance_ha import composition
from instance_ha.command import shell
from instance_ha.models.exit_codes import NEEDS_ATTENTION
from instance_ha.models.readiness import Fit, HostReadiness, SegmentReadiness
from instance_ha.models.text import counted
from instance_ha.planning.readiness import readiness

_WORDS = {
    Fit.FITS: "all fit elsewhere",
    Fit.MAY_FIT: "all fit elsewhere if Nova prefers hosts with much free memory",
    Fit.LEFT_OVER: "left over",
    Fit.UNKNOWN: "not known",
}


def register(subparsers: Any) -> None:
    """Add the command."""
    meaning = "how many hosts of each segment may die; changes nothing"
    codes = {NEEDS_ATTENTION: "a segment does not survive the death of any one host, or that is not known"}
    shell.add_output(shell.add(subparsers, "readiness", meaning, show, example="readiness -o json", codes=codes))


def show(options: argparse.Namespace) -> int:
    """Print it."""
    world = composition.of(options.environ).whole().for_invocation()
    found = readiness(world)
    shell.write(options, list(found), (line for one in found for line in screen(one)))
    return 0 if all(one.survives for one in found) else NEEDS_ATTENTION


def screen(one: SegmentReadiness) -> Iterator[str]:
    """Write a segment, line by line."""
    survives = f"not known: {one.reason}" if one.survives is None else f"any {one.survives} of its hosts may die"
    yield f"segment {one.segment_uuid}: {survives}"
    for host in one.hosts:
        yield f"  {host.name}: {counted(host.protected, 'instance')}, {_fit(host)}"
        yield from (f"    cannot be fenced: {trouble}" for trouble in host.fence_troubles)
        yield from (f"    {left}: no host has room for it" for left in host.left_over)
        yield from (f"    {left.name} ({left.id}): {left.reason}" for left in host.instances)


def _fit(host: HostReadiness) -> str:
    if host.fit is Fit.LEFT_OVER:
        return f"{len(host.left_over)} {_WORDS[host.fit]}"
    return _WORDS[host.fit] + (f": {host.reason}" if host.reason else "")
