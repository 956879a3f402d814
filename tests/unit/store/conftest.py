"""Stored rows to begin with."""

from typing import Any
from uuid import uuid4

import pytest
from instance_ha.models.rows import Host, InstanceFacts, Notification, Segment
from instance_ha.store import hosts, notifications, rounds, segments
from instance_ha.store.database import Database

from tests.unit.build import NOW, STOPPED


class Rows:
    """Makes rows; a test says only what it is about."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def segment(self, **about: Any) -> Segment:
        """Store a segment."""
        values = {"name": str(uuid4()), "recovery_method": "auto", "service_type": "COMPUTE"}
        with self.database.begin() as connection:
            return segments.create(connection, values | about, NOW)

    def host(self, segment: Segment, **about: Any) -> Host:
        """Store a host."""
        values = {"name": str(uuid4()), "type": "COMPUTE", "control_attributes": "SSH"}
        with self.database.begin() as connection:
            return hosts.create(connection, segment.uuid, values | about, NOW)

    def notification(self, **about: Any) -> Notification:
        """Store a notification that is due now."""
        values = {"generated_time": NOW, "source_host_uuid": "host", "type": "COMPUTE_HOST", "payload": STOPPED}
        with self.database.begin() as connection:
            return notifications.create(connection, values | about, NOW)

    def vmoves(self, notification: Notification, names: str) -> None:
        """Store a pending vmove for each letter."""
        instances = [(f"instance-{name}", name, InstanceFacts()) for name in names]
        with self.database.begin() as connection:
            rounds.plan(connection, notification, "compute1", instances, 0, NOW)


@pytest.fixture
def rows(database: Database) -> Rows:
    """What makes rows."""
    return Rows(database)
