"""A runtime for the end-to-end tests of a file, with a cloud that notices a dead host soon."""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from instance_ha_simulator.databases import EMPTY
from instance_ha_simulator.files import temporary_state_dir

from local.hosting import InProcess, Isolated
from local.runtime import Options, Runtime, without_cloud

CLOUD = {"report_interval": 1.0, "service_down_time": 2.0, "evacuate_seconds": 0.5}
SETTINGS = {"nova_late_request_limit": "20"}  # this cloud carries nothing out late


@pytest.fixture
def state_dir() -> Iterator[Any]:
    """A folder for one test."""
    with temporary_state_dir() as folder:
        yield folder


@pytest.fixture(scope="module", params=[InProcess, Isolated], ids=["one-process", "isolated"])
def product(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """The product, running, in both ways of hosting."""
    with temporary_state_dir() as folder:
        environ = without_cloud(os.environ)
        options = Options(folder, 0, request.param, durable=False, sim=CLOUD, settings=SETTINGS, environ=environ)
        with Runtime(options) as running:
            yield running


@pytest.fixture
def runtime(product: Runtime) -> Iterator[Runtime]:
    """The same for one test, after which nothing is stored any more: many failures one after the other are a storm."""
    yield product
    with psycopg.connect(product.database_url) as connection:
        connection.execute(EMPTY)
