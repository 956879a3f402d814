"""Logins: tokens for people, by their own credentials."""

from dataclasses import replace

import pytest
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.logins import KeystoneLogins
from instance_ha.models.errors import CloudTimeout, CloudUnavailable, TryAgain, Unauthorized
from instance_ha.models.logins import ApplicationCredential, PasswordLogin
from instance_ha.settings import load
from instance_ha_simulator.cloud.cloud import Cloud as SimulatedCloud
from instance_ha_simulator.cloud.clouds import login_variables
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.files import free_port


def logins_of(cloud: SimulatedCloud, url: str) -> KeystoneLogins:
    """Return the logins of a Keystone, which may refuse four a minute and has a second for each."""
    given = {"INSTANCE_HA_CONSOLE_REFUSED_LOGINS_PER_MINUTE": "4", "INSTANCE_HA_NOVA_TIMEOUT": "1"}
    settings = load({"DATABASE_URL": "postgresql://db/ha"} | given)
    return KeystoneLogins(settings, Cloud(settings, login_variables(cloud, url)))


@pytest.fixture
def logins(simulated: tuple[SimulatedCloud, str]) -> KeystoneLogins:
    """Its logins."""
    return logins_of(*simulated)


def login(cloud: SimulatedCloud, user: str = "admin") -> PasswordLogin:
    """Return what a user types."""
    who = cloud.identity.users[user]
    return PasswordLogin(
        user=user,
        user_domain="Default",
        password=who.password,
        project=who.project.name,
        project_domain="Default",
    )


def test_a_user_gets_a_token_of_their_own(simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins) -> None:
    cloud, _ = simulated
    issued = logins.log_in(login(cloud, "demo"))
    known = cloud.identity.find(issued.token)
    assert known is not None
    assert (known.user.name, issued.user, issued.project) == ("demo", "demo", "demo")
    assert abs((issued.expires_at - known.expires_at).total_seconds()) < 1


def test_an_application_credential_gets_one(simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins) -> None:
    made = simulated[0].identity.make_application_credential("demo")
    issued = logins.log_in(ApplicationCredential(id=made.id, secret=made.secret))
    assert (issued.user, issued.project) == ("demo", "demo")
    with pytest.raises(Unauthorized):
        logins.log_in(ApplicationCredential(id=made.id, secret="another"))


@pytest.mark.parametrize("wrong", [{"user": "x"}, {"password": "x"}, {"project": "x"}])
def test_every_refusal_says_the_same(
    simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins, wrong: dict[str, str]
) -> None:
    with pytest.raises(Unauthorized) as refused:
        logins.log_in(replace(login(simulated[0]), **wrong))
    assert str(refused.value) == "the login is not valid"


def test_after_too_many_refusals_only_users_who_were_let_in_before_are(
    simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins
) -> None:
    cloud, _ = simulated
    logins.log_in(login(cloud, "admin"))
    for number in range(4):
        with pytest.raises(Unauthorized):
            logins.log_in(replace(login(cloud), user=f"guess-{number}"))
    asked = cloud.requests.total()
    with pytest.raises(TryAgain, match="too many logins"):
        logins.log_in(login(cloud, "demo"))
    assert cloud.requests.total() == asked
    assert logins.log_in(login(cloud, "admin")).user == "admin"


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_keystone_with_troubles_of_its_own_refuses_nobody(
    simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins, status: int
) -> None:
    cloud, _ = simulated
    cloud.faults.add(Rule(method="POST", path="/identity/v3/auth/tokens", status=status, times=6))
    for _ in range(6):
        with pytest.raises(CloudUnavailable):
            logins.log_in(login(cloud, "demo"))
    assert logins.log_in(login(cloud, "demo")).user == "demo"


def test_a_keystone_that_is_slow_is_not_waited_for(
    simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins
) -> None:
    cloud, _ = simulated
    cloud.faults.add(Rule(method="POST", path="/identity/v3/auth/tokens", latency=3.0, times=1))
    with pytest.raises((CloudTimeout, CloudUnavailable)):
        logins.log_in(login(cloud))


def test_a_keystone_that_is_away_is_a_passing_trouble(simulated: tuple[SimulatedCloud, str]) -> None:
    cloud, _ = simulated
    with pytest.raises(CloudUnavailable):
        logins_of(cloud, f"http://127.0.0.1:{free_port()}").log_in(login(cloud))


def test_a_log_out_makes_the_token_bad_and_none_that_fails_is_an_error(
    simulated: tuple[SimulatedCloud, str], logins: KeystoneLogins
) -> None:
    cloud, _ = simulated
    token = logins.log_in(login(cloud)).token
    logins.log_out(token)
    assert cloud.identity.find(token) is None
    logins.log_out(token)
