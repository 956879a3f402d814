"""Evacuations that are under way already, ours or not: they are followed, since two at once wreck an instance."""

from collections.abc import Iterable, Mapping

from instance_ha.decide.evacuation import DestState, dest_state, is_at_work
from instance_ha.models.cloud import Migration
from instance_ha.planning.source import Source
from instance_ha.store import host_recoveries

PAGE = 1000  # records in one answer


def newest_of_each(records: Iterable[Migration]) -> dict[str, Migration]:
    """Keep the newest record of each instance; ``records`` come newest first."""
    newest: dict[str, Migration] = {}
    for record in records:
        newest.setdefault(record.server_id, record)
    return newest


def under_way(source: Source, newest: Mapping[str, Migration]) -> dict[str, Migration]:
    """Find the evacuations that Nova may still carry out, or may have carried out unseen, by instance.

    Raises:
        CloudUnavailable: Nova does not tell of a destination whether it is up.

    """
    open_ones = {server_id: record for server_id, record in newest.items() if not record.final}
    dests, now = dest_states(source, open_ones.values()), source.clock.now()
    return {server_id: record for server_id, record in open_ones.items() if is_at_work(record, dests[record.id], now)}


def dest_states(source: Source, records: Iterable[Migration]) -> dict[int, DestState]:
    """Say what is known of the hosts that records name as destinations, by the ids of the records.

    Raises:
        CloudUnavailable: Nova does not tell of one whether it is up.

    """
    dests = {record.id: record for record in records}
    services = {name: source.nova.service(name) for name in {one.dest_host for one in dests.values()} if name}
    down = [name for name, service in services.items() if service is None or not service.up]
    with source.read() as connection:
        proven = host_recoveries.proven_dead(connection, down) if down else {}
    return {number: dest_state(record, down, proven) for number, record in dests.items()}
