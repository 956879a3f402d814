"""The cloud under contract: the simulated one always, the real one if it is named."""

import os
from collections.abc import Iterator

import pytest

from tests.contract.backends import Backend, LabBackend, SimBackend


@pytest.fixture(scope="module", params=["sim", pytest.param("lab", marks=pytest.mark.lab)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A cloud for all tests of a module."""
    if request.param == "lab":
        for name in ("LAB_CLOUD", "LAB_SRC"):
            if not os.environ.get(name):
                pytest.skip(f"of the contract with a real cloud ({name} is not set)")
    made: Backend = SimBackend() if request.param == "sim" else LabBackend()
    yield made
    made.close()


@pytest.fixture
def nova(backend: Backend) -> Iterator[Backend]:
    """A cloud that is cleaned up after the test."""
    yield backend
    backend.clean_up()
