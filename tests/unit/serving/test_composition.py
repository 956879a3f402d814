"""One place makes the world, of nothing but the settings and the environment that it is given."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from instance_ha import composition
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.noauth import NoAuth
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import load

ENVIRON = {"DATABASE_URL": "postgresql://db/ha", "OS_AUTH_URL": "https://keystone/v3"}
USER = {"OS_USERNAME": "u", "OS_PASSWORD": "pass-word", "OS_PROJECT_NAME": "x", "OS_USER_DOMAIN_ID": "default"}
CLOUDS = """
clouds:
  prod: {auth: {auth_url: 'https://prod/v3', username: u, password: pass-word, project_name: x}, region_name: one}
  test: {auth: {auth_url: 'https://test/v3', username: u, password: pass-word, project_name: x}, region_name: two}
"""


def test_two_worlds_of_two_environments_share_nothing() -> None:
    here, there = composition.of(ENVIRON).whole(), composition.of(ENVIRON | {"INSTANCE_HA_HOST": "b"}).whole()
    assert here.database is not there.database
    assert here.metrics is not there.metrics
    assert (here.settings.host, there.settings.host) == (None, "b")


def test_a_world_is_composed_before_any_of_its_clients_can_be_reached() -> None:
    world = composition.of(ENVIRON).whole()
    with pytest.raises(Misconfigured, match="user is missing"):
        world.nova.service("compute1")


def test_noauth_takes_every_caller_without_a_keystone() -> None:
    world = composition.of({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_AUTH_STRATEGY": "noauth2"}).whole()
    assert world.tokens.check({}) == NoAuth().check({})


def test_a_wrong_setting_is_told_by_its_name() -> None:
    with pytest.raises(Misconfigured, match="INSTANCE_HA_LOG_LEVEL"):
        composition.of(ENVIRON | {"INSTANCE_HA_LOG_LEVEL": "LOUD"})


@pytest.mark.parametrize(
    "environ",
    [
        {"OS_AUTH_URL": "https://keystone/v3", **USER},
        {"OS_AUTH_URL": "https://keystone/v3", **USER, "OS_REGION_NAME": "one", "OS_CLOUD": ""},
        {"OS_AUTH_TYPE": "none", "OS_COMPUTE_ENDPOINT_OVERRIDE": "http://nova/v2.1"},
        {"OS_AUTH_URL": "https://keystone/v3", "OS_AUTH_TYPE": "v3applicationcredential"}
        | {"OS_APPLICATION_CREDENTIAL_ID": "i", "OS_APPLICATION_CREDENTIAL_SECRET": "pass-word"},
        {"OS_CLOUD": "prod"},
        {"OS_CLOUD": "test", "OS_AUTH_URL": "https://elsewhere/v3", "OS_REGION_NAME": "one"},
    ],
    ids=["variables", "region", "none", "application-credential", "clouds-yaml", "both"],
)
def test_a_cloud_is_read_as_openstacksdk_reads_it_from_the_environment_of_a_process(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "clouds.yaml").write_text(CLOUDS)
    environ = environ | ({"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")} if environ.get("OS_CLOUD") else {})
    program = """
import json
from openstack.config import OpenStackConfig
print(json.dumps(OpenStackConfig(app_name="masakari-functions").get_one().config))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    settings = composition.of(ENVIRON).whole().settings
    ours = Cloud(settings, environ).region

    assert meaningful(json.loads(json.dumps(ours.config))) == meaningful(json.loads(done.stdout))


def meaningful(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only says where it was read from."""
    return {key: value for key, value in config.items() if key not in {"client_config_file", "cloud"} and value != ""}


def test_a_password_of_the_cloud_that_is_too_short_to_be_masked_is_refused_when_it_is_read() -> None:
    with pytest.raises(Misconfigured, match="the cloud's password is shorter than 6 characters"):
        _ = Cloud(load(ENVIRON), ENVIRON | USER | {"OS_PASSWORD": "12345"}).region
