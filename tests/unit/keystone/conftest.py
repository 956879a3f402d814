"""A Keystone for the tests of this folder."""

from collections.abc import Iterator

import pytest
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud as SimulatedCloud
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer


@pytest.fixture
def simulated() -> Iterator[tuple[SimulatedCloud, str]]:
    """A cloud with a Keystone, and where it is."""
    cloud = SimulatedCloud(RealClock(), CloudOptions())
    server = LoopbackServer(create_app(cloud))
    server.start()
    yield cloud, server.url
    server.stop()
