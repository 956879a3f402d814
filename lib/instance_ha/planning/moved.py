"""The instances that have left a host, as Nova shows them now."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from instance_ha.models.cloud import CLOCKS_APART, Server
from instance_ha.models.ports import Nova
from instance_ha.models.rows import VMove

_SHARE = 20  # instances, for each of which a page more of the whole cloud's list may be read


def read_moved(nova: Nova, moved: dict[str, VMove]) -> Iterator[Server]:
    """Read the moved instances that still exist; what that costs depends on how many they are, not on the cloud.

    Usually one page of what has changed in the whole cloud has all of them. Where much else has changed, the list is
    not read to its end: what it has not shown is looked for on the destinations, and then one by one.
    """
    if not moved:
        return
    since = min(move.start_time or move.created_at for move in moved.values()) - CLOCKS_APART
    missing = dict(moved)
    yield from _take(nova.changed_servers(since), 1 + len(missing) // _SHARE, missing)
    by_host: dict[str, int] = defaultdict(int)
    for move in missing.values():
        if move.dest_host is not None:
            by_host[move.dest_host] += 1
    for host, count in by_host.items():
        yield from _take(nova.changed_servers(since, host), count - 1, missing)
    for server_id in missing:
        if (server := nova.server(server_id)) is not None:  # else its owner has deleted it
            yield server


def _take(pages: Iterator[list[Server]], most: int, missing: dict[str, VMove]) -> Iterator[Server]:
    """Take what is missing out of so many pages at most, and out of no more than are needed."""
    for page in islice(pages, most):
        yield from (server for server in page if missing.pop(server.id, None) is not None)
        if not missing:
            return
