"""What our tables hold, read straight from them: a play must not depend on what it plays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instance_ha.store.database import Database
from sqlalchemy import Connection, text

_HOSTS = {
    "reserved": text("SELECT name FROM hosts WHERE reserved ORDER BY name"),
    "maintenance": text("SELECT name FROM hosts WHERE on_maintenance ORDER BY name"),
}
_VMOVES, _RETURNS = "SELECT * FROM vmoves ORDER BY id", "SELECT * FROM returns ORDER BY id"
_IN_WORK = "SELECT {} FROM {} WHERE (lease_owner IS NOT NULL OR due_at <= :now) AND due_at IS NOT NULL"
_ROWS_IN_WORK = (
    _IN_WORK.format("notification_uuid, lease_owner, status, attempt", "notifications"),
    _IN_WORK.format("uuid, lease_owner, status, step", "vmoves"),
    "SELECT uuid, lease_owner FROM returns WHERE lease_owner IS NOT NULL",
)


@dataclass(frozen=True)
class Rows:
    """What tells of all that has happened, at one moment."""

    notifications: dict[str, dict[str, Any]]  # by their uuids
    hosts: dict[str, dict[str, Any]]  # by their names, without those that were deleted
    vmoves: list[dict[str, Any]]  # evacuations
    moves_home: list[dict[str, Any]]
    returns: list[dict[str, Any]]


def _read(connection: Connection, query: str, **about: object) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(query), about).mappings()]


class Tables:
    """The tables of a simulation; every question raises StoreUnavailable while Postgres does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _rows(self, query: str, **about: object) -> list[dict[str, Any]]:
        with self._database.begin() as connection:
            return _read(connection, query, **about)

    def rows(self) -> Rows:
        """Return the rows of all that has happened."""
        with self._database.begin() as connection:
            moves = _read(connection, _VMOVES)
            return Rows(
                {row["notification_uuid"]: row for row in _read(connection, "SELECT * FROM notifications")},
                {row["name"]: row for row in _read(connection, "SELECT * FROM hosts WHERE deleted_at IS NULL")},
                [move for move in moves if move["type"] == "evacuation"],
                [move for move in moves if move["type"] == "live_migration"],
                _read(connection, _RETURNS),
            )

    def notification(self, uuid: str) -> dict[str, Any]:
        """Return the status and the message of a notification."""
        (row,) = self._rows("SELECT status, message FROM notifications WHERE notification_uuid = :uuid", uuid=uuid)
        return row

    def reports(self, host: str, since: datetime) -> list[dict[str, Any]]:
        """Return what was reported of a host since then, in order."""
        query = (
            "SELECT n.* FROM notifications n JOIN hosts h ON h.uuid = n.source_host_uuid"
            " WHERE h.name = :host AND n.created_at >= :since ORDER BY n.id"
        )
        return self._rows(query, host=host, since=since)

    def vmoves(self) -> list[dict[str, Any]]:
        """Return all vmoves, in order."""
        return self._rows(_VMOVES)

    def returns(self) -> list[dict[str, Any]]:
        """Return all returns of hosts, in order."""
        return self._rows(_RETURNS)

    def hosts(self, which: str) -> list[str]:
        """Return the names of the hosts that are ``reserved``, or on ``maintenance``."""
        with self._database.begin() as connection:
            return list(connection.execute(_HOSTS[which]).scalars())

    def unsent(self) -> int:
        """Count the events that wait to be sent."""
        return len(self._rows("SELECT id FROM outbox WHERE done_at IS NULL"))

    def outbox(self, sink: str | None = None) -> list[dict[str, Any]]:
        """Return all messages that were ever written for a sink, in order; None: for any."""
        return self._rows("SELECT * FROM outbox WHERE sink = coalesce(:sink, sink) ORDER BY id", sink=sink)

    def in_work(self, now: object) -> dict[str, tuple[object, ...]]:
        """Return which rows are claimed or due, by their uuids, with their owners and how far they are."""
        with self._database.begin() as connection:
            found = [row for query in _ROWS_IN_WORK for row in connection.execute(text(query), {"now": now})]
        return {row[0]: tuple(row[1:]) for row in found}
