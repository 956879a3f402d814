"""Evacuations under way: which of them must be checked one by one, by a list of Nova's records."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.cloud import Migration
from instance_ha.models.rows import VMove

CHECK_UNRECORDED_AFTER = 60.0
CHECK_UNCLEAR_AFTER = 10.0


@dataclass(frozen=True)
class Watch:
    """What Nova's records say of evacuations under way."""

    done: tuple[tuple[VMove, str | None], ...]  # and where Nova says that it has moved, None when it failed
    unseen: tuple[VMove, ...]  # not checked for too long


def watch(
    moves: Iterable[VMove],
    migrations: Mapping[str, Migration],
    now: datetime,
    slow: float,
    down: Container[str] = (),
) -> Watch:
    """Sort watched evacuations by Nova's newest record of each instance in ``migrations``.

    An evacuation is unseen when it was not checked for ``slow`` seconds: the record of a deleted instance,
    say, never becomes final. One to a host that is ``down`` is checked sooner, since it may come to nothing.
    """
    done: list[tuple[VMove, str | None]] = []
    unseen: list[VMove] = []
    for move in moves:
        migration = migrations.get(move.instance_uuid)
        if migration is not None and migration.id <= move.last_migration_id:  # of an earlier request
            migration = None
        patience = CHECK_UNRECORDED_AFTER if migration is None else slow
        if migration is not None and (migration.unclear or migration.dest_host in down):
            patience = min(slow, CHECK_UNCLEAR_AFTER)
        if migration is not None and migration.final and not migration.unclear:
            done.append((move, migration.dest_host if migration.moved else None))
        elif now - (move.updated_at or move.created_at) > timedelta(seconds=patience):
            unseen.append(move)
    return Watch(tuple(done), tuple(unseen))
