"""What Nova knows of a host by its hypervisor: the servers that are on it, and how long it has been up."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from instance_ha.models.errors import CloudRefused, CloudUnavailable

Get = Callable[[str], Any]

# As the command `uptime` writes it: "up 3 min", "up 18:25", "up 1 day, 5 min", "up 93 days, 18:25".
_UPTIME = re.compile(r"\bup\s+(?:(?P<days>\d+) days?,\s*)?(?:(?P<hours>\d+):(?P<minutes>\d\d)|(?P<alone>\d+) min)\b")


def servers_on(get: Get, host: str) -> set[str] | None:
    """Name the servers on a host by the records of its hypervisors; None: Nova does not tell.

    Nova leaves a cell that does not answer out of a list of servers. This question goes to the host's own cell,
    and fails when that does not answer; it fails for every host, too, while any other cell does not.
    """
    ours = _of_host(get, host, with_servers="true")
    return {server["uuid"] for one in ours for server in one.get("servers", ())} if ours else None


def uptime(get: Get, host: str) -> timedelta | None:
    """Ask a host how long it has been up, rounded down to a minute; None: Nova does not tell."""
    try:
        (ours,) = _of_host(get, host)
        answer = get(f"/os-hypervisors/{ours['id']}/uptime")["hypervisor"]["uptime"]
    except (CloudRefused, CloudUnavailable, ValueError):  # ValueError: it has several hypervisors, or none
        return None
    return parse_uptime(answer)


def parse_uptime(text: str | None) -> timedelta | None:
    """Read what the command `uptime` writes; None when it says something else."""
    found = _UPTIME.search(text or "")
    if found is None:
        return None
    days, hours, minutes, alone = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes + alone)


def _of_host(get: Get, host: str, **query: str) -> list[Any]:
    """Read the records of a host's hypervisors, of which a baremetal host has many; none when Nova does not tell."""
    pattern = urlencode({"hypervisor_hostname_pattern": host, **query})
    try:
        found = get(f"/os-hypervisors/detail?{pattern}")["hypervisors"]
    except (CloudRefused, CloudUnavailable):
        return []
    return [hypervisor for hypervisor in found if hypervisor["service"]["host"] == host]
