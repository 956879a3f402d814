"""Calls that might hang."""

import threading

import pytest
from instance_ha.models.errors import TimeIsUp
from instance_ha.timeouts import with_timeout


def test_a_call_that_hangs_is_abandoned_at_its_limit() -> None:
    never = threading.Event()

    def hang() -> None:
        never.wait()

    with pytest.raises(TimeIsUp):
        with_timeout(hang, 0.05)
    never.set()


def test_a_call_that_raises_raises_here() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        with_timeout(fail, 5)


def test_what_a_call_returns_is_returned() -> None:
    assert with_timeout(lambda: 7, 5) == 7
