"""Rows of long ago, and a purge of them in virtual time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from instance_ha.decide.purge import PurgeRequest
from instance_ha.models.errors import InstanceHAError
from instance_ha.purge import PurgeResult, purge
from instance_ha.store.purge import RULES
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.scheduler import START
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import func, insert, select, text

NOTHING = {rule.table.name: 0 for rule in RULES}
TABLES = {rule.table.name: rule.table for rule in RULES}
SEGMENT = {"name": "s", "service_type": "COMPUTE", "recovery_method": "auto"}
HOST = {"name": "h", "type": "COMPUTE", "control_attributes": "SSH", "failover_segment_id": "segment"}
NOTIFICATION = {"generated_time": START, "source_host_uuid": "host", "type": "VM", "payload": {}, "status": "finished"}
VMOVE = {
    "instance_uuid": "i",
    "instance_name": "vm",
    "source_host": "h",
    "status": "succeeded",
    "step": "settle",
    "facts": {},
}
MESSAGE = {"event_type": "t", "subject": "s", "body": "{}", "sink": "one"}


class History:
    """Rows that are as old as a test says, in days."""

    def __init__(
        self, database_url: str, bucket: list[dict[str, Any]] | None = None, now: datetime = START, **settings: str
    ) -> None:
        self._now = now
        self.simulation = Simulation(database_url, settings, CloudOptions(), Faults(bucket=bucket or []))
        self.world = self.simulation.world
        self._count = 0

    def add(self, table: str, values: Mapping[str, Any], **days: float | None) -> None:
        """Store a row; times are given as days ago."""
        self._count += 1
        times = {name: None if ago is None else self._now - timedelta(days=ago) for name, ago in days.items()}
        key = {"notifications": "notification_uuid", "outbox": "event_id"}.get(table, "uuid")
        own = (
            {} if table == "recovery_tasks" else {key: f"{table}-{self._count}", "created_at": times.get("created_at")}
        )
        row = own | dict(values) | times
        if table != "recovery_tasks":
            row["created_at"] = row["created_at"] or self._now - timedelta(days=100)
        with self.world.database.begin() as connection:
            connection.execute(insert(TABLES[table]).values(row))

    def notification(self, uuid: str, days: float | None, *, moves: int = 0, tasks: int = 0, **about: Any) -> None:
        """Store a notification that ended some days ago, with what belongs to it."""
        created = {"created_at": about.pop("created_at")} if "created_at" in about else {}
        self.add("notifications", NOTIFICATION | {"notification_uuid": uuid} | about, updated_at=days, **created)
        for number in range(moves):
            self.add("vmoves", VMOVE | {"notification_uuid": uuid, "instance_uuid": f"i{number}"})
        for number in range(tasks):
            values = {"attempt": 1, "position": number, "name": "t", "state": "SUCCESS"}
            self.add("recovery_tasks", values | {"notification_uuid": uuid})

    def purge(self, at: float = 0, **request: Any) -> list[PurgeResult | InstanceHAError]:
        """Plan a purge; what comes of it is in the list, once there."""
        came: list[PurgeResult | InstanceHAError] = []

        def work() -> None:
            try:
                came.append(purge(self.world, PurgeRequest(**request), self.world.deadline()))
            except InstanceHAError as error:
                came.append(error)

        self.simulation.scheduler.spawn("purge", work, at)
        return came

    def purged(self, **request: Any) -> dict[str, int]:
        """Purge now; returns the rows of those tables that had any."""
        came = self.purge(**request)
        self.run()
        assert isinstance(came[0], PurgeResult), came[0]
        return {name: rows for name, rows in came[0].tables.items() if rows}

    def run(self) -> None:
        """Let everything happen."""
        self.simulation.scheduler.run(1e6, lambda: False)

    def left(self) -> dict[str, int]:
        """Count the rows of all tables that have any."""
        with self.world.database.begin() as connection:
            counts = {
                n: connection.execute(select(func.count()).select_from(t)).scalar_one() for n, t in TABLES.items()
            }
        return {name: count for name, count in counts.items() if count}

    def names(self, table: str, column: str) -> list[str]:
        """Read one column."""
        with self.world.database.begin() as connection:
            return list(connection.execute(text(f"SELECT {column} FROM {table} ORDER BY id")).scalars())

    def with_archive(self, archive: Any) -> None:
        """Use a real bucket."""
        self.world = replace(self.world, archive=archive)
