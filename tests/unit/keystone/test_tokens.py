"""Tokens: Keystone is not asked about whatever strangers make up."""

from typing import Any
from uuid import uuid4

import pytest
from instance_ha.keystone.budget import Budget
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.tokens import Tokens
from instance_ha.models.errors import TryAgain, Unauthorized
from instance_ha.settings import load
from instance_ha_simulator.cloud.cloud import Cloud as SimulatedCloud
from instance_ha_simulator.cloud.clouds import login_variables
from instance_ha_simulator.files import free_port
from werkzeug.test import EnvironBuilder


class Clock:
    """Monotonic seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_after_too_many_refused_tokens_only_accepted_ones_are_asked_about_for_the_rest_of_the_minute() -> None:
    clock = Clock()
    budget = Budget(3, clock)
    budget.accepted("known")
    for _ in range(3):
        assert budget.allows("unknown")
        budget.refused()
        clock.now += 10
    assert (budget.allows("unknown"), budget.allows("known")) == (False, True)
    clock.now = 159.9
    assert not budget.allows("unknown")
    clock.now = 160.0
    assert budget.allows("unknown")
    budget.refused()
    assert not budget.allows("unknown")


@pytest.fixture
def tokens(simulated: tuple[SimulatedCloud, str]) -> Tokens:
    """The check of tokens, which Keystone may refuse four times a minute."""
    settings = load({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_REFUSED_TOKENS_PER_MINUTE": "4"})
    return Tokens(settings, Cloud(settings, login_variables(*simulated)))


def request(token: str) -> dict[str, Any]:
    """A request with a token."""
    return EnvironBuilder().get_environ() | {"HTTP_X_AUTH_TOKEN": token}


def test_strangers_tokens_reach_keystone_a_bounded_number_of_times(
    simulated: tuple[SimulatedCloud, str], tokens: Tokens
) -> None:
    admin = simulated[0].identity.users["admin"]
    known = request(simulated[0].identity.issue(admin, admin.project.id).id)
    assert "admin" in tokens.check(known).roles
    outcomes = []
    for _ in range(8):
        with pytest.raises((Unauthorized, TryAgain)) as raised:
            tokens.check(request(uuid4().hex))
        outcomes.append(raised.type)
    assert outcomes == [Unauthorized] * 4 + [TryAgain] * 4  # its caller is told why: Keystone is there
    assert "admin" in tokens.check(known).roles


def test_a_token_that_was_checked_a_moment_ago_is_not_taken_after_its_log_out(
    simulated: tuple[SimulatedCloud, str], tokens: Tokens
) -> None:
    admin = simulated[0].identity.users["admin"]
    ended, other = (simulated[0].identity.issue(admin, admin.project.id).id for _ in range(2))
    assert "admin" in tokens.check(request(ended)).roles
    tokens.forget(ended)
    with pytest.raises(Unauthorized):
        tokens.check(request(ended))
    assert "admin" in tokens.check(request(other)).roles


@pytest.mark.parametrize("token", ["\xff\xfe", "a\0b", "a\tb", " ", "x" * 20_000, "../../users", "a\r\nX-Header: b"])
def test_whatever_stands_where_a_token_should_is_unauthorized(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unauthorized):
        tokens.check(request(token))


def test_tokens_are_checked_though_the_memcached_that_shares_them_is_away(
    simulated: tuple[SimulatedCloud, str],
) -> None:
    memcached = {"INSTANCE_HA_MEMCACHED_SERVERS": f"127.0.0.1:{free_port()}"}
    settings = load({"DATABASE_URL": "postgresql://db/ha", **memcached})
    tokens = Tokens(settings, Cloud(settings, login_variables(*simulated)))
    admin = simulated[0].identity.users["admin"]
    token = simulated[0].identity.issue(admin, admin.project.id).id

    assert "admin" in tokens.check(request(token)).roles
    tokens.forget(token)
    with pytest.raises(Unauthorized):
        tokens.check(request(token))
