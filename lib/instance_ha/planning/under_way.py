"""Evacuations that are under way already, ours or not: they are followed, since two at once wreck an instance."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from instance_ha.decide.evacuation import is_at_work
from instance_ha.models.cloud import Migration
from instance_ha.models.ports import Nova

PAGE = 1000  # records in one answer


def newest_of_each(records: Iterable[Migration]) -> dict[str, Migration]:
    """Keep the newest record of each instance; ``records`` come newest first."""
    newest: dict[str, Migration] = {}
    for record in records:
        newest.setdefault(record.server_id, record)
    return newest


def under_way(nova: Nova, newest: Mapping[str, Migration], now: datetime) -> dict[str, Migration]:
    """Find the evacuations that Nova may still carry out, by instance.

    Raises:
        CloudUnavailable: Nova does not tell of a destination whether it is up.

    """
    open_ones = {server_id: record for server_id, record in newest.items() if not record.final}
    services = {name: nova.service(name) for name in {r.dest_host for r in open_ones.values() if r.dest_host}}
    return {
        server_id: record
        for server_id, record in open_ones.items()
        if is_at_work(record, services.get(record.dest_host) if record.dest_host else None, now)
    }
