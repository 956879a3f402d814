"""One runtime for the end-to-end tests, with a cloud that notices a dead host soon."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.postgres import temporary_state_dir
from local.runtime import Options, Runtime

CLOUD = {"report_interval": 1.0, "service_down_time": 2.0, "evacuate_seconds": 0.5}


@pytest.fixture
def state_dir() -> Iterator[Any]:
    """A folder for one test."""
    with temporary_state_dir() as folder:
        yield folder


@pytest.fixture(params=[False, True], ids=["one-process", "isolated"])
def runtime(request: pytest.FixtureRequest, state_dir: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The product, running, in both ways of hosting."""
    for name in ("OS_CLOUD", "OS_AUTH_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    options = Options(state_dir, port=0, isolate=request.param, durable=False, sim=CLOUD)
    with Runtime(options) as running:
        yield running
