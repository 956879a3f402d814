"""What is checked when a function starts, and what it does not import then."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from instance_ha import masking, startup
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings, load

from tests.unit.serving.loaded import loaded

HEAVY = (
    "boto3",
    "consul",
    "kubernetes",
    "libvirt",
    "yaml",
    "openstack",
    "keystoneauth1",
    "keystonemiddleware",
    "oslo_config",
    "oslo_policy",
    "prometheus_client",
    "requests",
    "webob",
)
NOAUTH = {"INSTANCE_HA_AUTH_STRATEGY": "noauth2"}
SIMULATED = {"OS_AUTH_TYPE": "none", "OS_COMPUTE_ENDPOINT_OVERRIDE": "http://127.0.0.1:1/compute/v2.1"}


def settings(**values: str) -> Settings:
    """Return settings."""
    return load({"DATABASE_URL": "postgresql://db/ha"} | values)


def check(environ: dict[str, str], **values: str) -> None:
    """Check as an api function does."""
    startup.check_cloud(settings(**values), environ)


KEY = "INSTANCE_HA_TRIGGER_KEY"
LONG = "0123456789abcdef"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({KEY: "k"}, "trigger-key"),
        ({KEY: LONG[:15]}, "trigger-key"),
        ({KEY: f"{LONG}\nshort"}, "trigger-key"),
        ({"INSTANCE_HA_TASK_KEY": "k"}, "task-key"),
        ({"INSTANCE_HA_CRON_TOKEN": "t"}, "cron-token"),
        ({"INSTANCE_HA_METRICS_TOKEN": "t"}, "metrics-token"),
        ({KEY: LONG, "INSTANCE_HA_TASK_KEY": LONG}, "trigger-key and task-key"),
        ({"INSTANCE_HA_CRON_TOKEN": LONG, "INSTANCE_HA_METRICS_TOKEN": f"{LONG}x\n{LONG}"}, "cron-token and metrics"),
        ({"DATABASE_URL": "postgresql://ha:tiny@db/ha"}, "6 characters"),
        ({"INSTANCE_HA_CONSUL_TOKEN_MANAGE": "tiny"}, "6 characters"),
    ],
)
def test_secrets_that_are_short_or_serve_two_purposes_stop_the_start(values: dict[str, str], message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as raised:
        startup.check_secrets(settings(**values), {})
    assert "tiny" not in str(raised.value)


@pytest.mark.parametrize(
    "name",
    ["OS_PASSWORD", "OS_TOKEN", "OS_APPLICATION_CREDENTIAL_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
)
def test_a_secret_of_the_cloud_or_of_aws_that_is_too_short_to_be_masked_stops_the_start(name: str) -> None:
    startup.check_secrets(settings(), {name: "123456"})
    with pytest.raises(Misconfigured, match=f"the secret {name} is shorter than 6 characters"):
        startup.check_secrets(settings(), {name: "12345"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OS_CLIENT_CONFIG_FILE", "clouds:\n  masakari:\n    auth:\n      username: m\n      password: {}\n"),
        ("OS_CLIENT_CONFIG_FILE", "clouds: {{masakari: {{auth: {{username: m, password: '{}'}}}}}}"),
        ("OS_CLIENT_SECURE_FILE", 'clouds:\n  masakari:\n    auth:\n      application_credential_secret: "{}"\n'),
        ("AWS_SHARED_CREDENTIALS_FILE", "[default]\naws_access_key_id = me\naws_secret_access_key = {}\n"),
    ],
)
def test_a_secret_in_a_mounted_file_that_is_too_short_to_be_masked_stops_the_start(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / "mounted"
    file.write_text(text.format("123456"))
    startup.check_secrets(settings(), {name: str(file)})
    file.write_text(text.format("12345"))
    with pytest.raises(Misconfigured, match=f"a secret in {file} is shorter than 6 characters"):
        startup.check_secrets(settings(), {name: str(file)})


@pytest.mark.parametrize(
    "password", ["Ab#12345xyzlong", "it's-a-long-password", "a,b,c-long-password", "sec}ret-long-pw"]
)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OS_CLIENT_CONFIG_FILE", "clouds:\n  masakari:\n    auth:\n      password: {}  # the prod cloud's\n"),
        ("AWS_SHARED_CREDENTIALS_FILE", "[default]\naws_secret_access_key = {}\n"),
    ],
)
def test_a_secret_in_a_mounted_file_is_masked_whole_whatever_is_in_it(
    tmp_path: Path, name: str, text: str, password: str
) -> None:
    file = tmp_path / "mounted"
    file.write_text(text.format(password))

    startup.check_secrets(settings(), {name: str(file)})

    assert masking.masked(f"{password} was refused") == "*** was refused"


@given(password=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=6))
def test_whatever_yaml_reads_as_a_password_is_masked_whole(
    tmp_path_factory: pytest.TempPathFactory, password: str
) -> None:
    file = tmp_path_factory.mktemp("cloud") / "clouds.yaml"
    file.write_text(yaml.safe_dump({"clouds": {"one": {"auth": {"password": password}}}}, allow_unicode=True))

    startup.check_secrets(settings(), {"OS_CLIENT_CONFIG_FILE": str(file)})

    assert password not in masking.masked(f"<{password}>")


def test_secrets_of_their_own_and_long_enough_let_it_start() -> None:
    values = {KEY: f"{LONG}1\n{LONG}2", "INSTANCE_HA_TASK_KEY": f"{LONG}3", "INSTANCE_HA_CRON_TOKEN": f"{LONG}4"}
    startup.check_secrets(settings(**values, DATABASE_URL="postgresql://ha:s3cret@db/ha"), {})
    startup.check_secrets(settings(), {})


@pytest.mark.parametrize("cloud", [{"OS_CLOUD": "prod"}, {"OS_AUTH_URL": "https://keystone"}], ids=str)
def test_noauth_refuses_to_start_where_a_cloud_is_configured(cloud: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="noauth2"):
        check({**cloud, **SIMULATED}, **NOAUTH)


def test_noauth_starts_beside_a_nova_without_keystone() -> None:
    check(SIMULATED, **NOAUTH)
    with pytest.raises(Misconfigured, match="OS_COMPUTE_ENDPOINT_OVERRIDE"):
        check({}, **NOAUTH)


def test_without_noauth_a_nova_without_keystone_is_no_cloud() -> None:
    with pytest.raises(Misconfigured, match="no cloud"):
        check(SIMULATED)


def test_a_policy_file_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="/no/policy"):
        startup.check_policy(settings(INSTANCE_HA_POLICY_FILE="/no/policy.yaml"), {})
    startup.check_policy(settings(INSTANCE_HA_POLICY_FILE="reader"), {})


@pytest.mark.parametrize(
    "name", ["api-segments", "api-hosts", "api-notifications", "monitor-poll", "monitor-guests", "purge"]
)
def test_a_function_imports_no_sdk_before_a_request_needs_it(name: str) -> None:
    assert set(HEAVY) & loaded(name) == set()


def test_a_start_of_api_hosts_imports_neither_the_text_of_the_metrics_nor_the_planning_of_recoveries() -> None:
    assert {"instance_ha.metrics.exposition", "instance_ha.planning.plan"} & loaded("api-hosts") == set()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"INSTANCE_HA_MONITORING_DRIVER": "consul"}, "no Consul agent"),
        ({"INSTANCE_HA_MONITORING_DRIVER": "kubernetes"}, "no Kubernetes"),
    ],
)
def test_a_driver_that_is_not_configured_stops_the_start(values: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        startup.check_monitoring(settings(**values), {})


def test_a_uri_that_is_none_stops_the_start_only_where_guests_are_watched() -> None:
    wrong = {"INSTANCE_HA_LIBVIRT_URI": "{nobody}"}
    startup.check_guests(settings(**wrong), {})
    with pytest.raises(Misconfigured, match="INSTANCE_HA_LIBVIRT_URI"):
        startup.check_guests(settings(**wrong, INSTANCE_HA_GUEST_MONITORING="true"), {})


def test_without_a_driver_nothing_of_it_is_checked() -> None:
    startup.check_monitoring(settings(INSTANCE_HA_CONSUL_AGENT_MANAGE="ftp://no"), {})
