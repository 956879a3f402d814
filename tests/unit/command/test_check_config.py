"""``instance-ha check-config``: each part that the settings name is asked, and it is said which answered."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from instance_ha import command
from instance_ha.store import hosts, segments
from instance_ha.store.database import Database
from instance_ha_simulator.cloud import consul
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.postgres import Postgres

from tests.bmc import PASSWORD, USERNAME, Machine, RedfishService, redfish

Check = Callable[..., tuple[int, str, str]]
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Iterator[Check]:
    """Run the command with settings; returns its exit code, what it printed, and what it complained about."""
    before = structlog.get_config()

    def run(settings: dict[str, str], *options: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            command.main(["check-config", *options], settings)
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    yield run
    structlog.configure(**before)


@pytest.fixture
def good(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A configuration whose parts are all there."""
    cloud = Cloud(RealClock())
    server = LoopbackServer(create_app(cloud))
    server.start()
    (tmp_path / "clouds.yaml").write_text(clouds_yaml(cloud, server.url))
    yield {
        "DATABASE_URL": database_url,
        "OS_CLOUD": "masakari",
        "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
        "INSTANCE_HA_TRIGGER_SINK": f"{server.url}/{{function}}",
        "INSTANCE_HA_TRIGGER_KEY": "a-key-for-triggers",
        "INSTANCE_HA_NOVA_TIMEOUT": "2",
    }
    server.stop()


@pytest.fixture
def agents() -> Iterator[dict[str, str]]:
    """Two Consul agents."""
    clusters = consul.Clusters(["manage", "storage"])
    clusters.add_host("compute1")
    servers = {name: LoopbackServer(consul.create_app(agent), 0, 2) for name, agent in clusters.agents.items()}
    for server in servers.values():
        server.start()
    yield {f"INSTANCE_HA_CONSUL_AGENT_{name.upper()}": server.url for name, server in servers.items()}
    for server in servers.values():
        server.stop()


@pytest.fixture
def bmc() -> Iterator[RedfishService]:
    """A BMC."""
    with redfish(RedfishService({"1": Machine()})) as service:
        yield service


def lines(text: str) -> dict[str, str]:
    """Return what is printed of each part."""
    return {line[:24].strip(): line[24:] for line in text.splitlines() if line[24:].startswith(("answers", "FAILS"))}


def test_each_part_that_answers_is_named(check: Check, good: dict[str, str], agents: dict[str, str]) -> None:
    code, out, err = check(good | agents | {"INSTANCE_HA_MONITORING_DRIVER": "consul"})
    assert (code, err) == (0, "")
    assert lines(out) == {
        "database": "answers: schema 0001",
        "cloud": "answers: Nova lets us list services",
        "trigger sink": "answers: takes connections; nothing was sent",
        "consul manage": "answers: 1 members",
        "consul storage": "answers: 1 members",
    }
    assert out.endswith("The configuration is good.\n")


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("database", {"DATABASE_URL": "postgresql://ha:s3cret-word@127.0.0.1:1/ha"}),
        ("trigger sink", {"INSTANCE_HA_TRIGGER_SINK": NOWHERE}),
        ("event sink audit", {"INSTANCE_HA_EVENT_SINKS": "audit=http://me:s3cret-word@127.0.0.1:1/x"}),
        ("consul storage", {"INSTANCE_HA_CONSUL_AGENT_STORAGE": NOWHERE}),
        ("archive", {"INSTANCE_HA_ARCHIVE_BUCKET": "b", "INSTANCE_HA_ARCHIVE_ENDPOINT_URL": NOWHERE}),
    ],
)
def test_a_part_that_does_not_answer_is_a_problem_and_the_others_are_still_asked(
    check: Check, good: dict[str, str], agents: dict[str, str], part: str, change: dict[str, str]
) -> None:
    code, out, err = check(good | agents | {"INSTANCE_HA_MONITORING_DRIVER": "consul"} | change)
    assert code == 1
    said = lines(out)
    assert said[part].startswith("FAILS: ")
    assert [name for name, words in said.items() if words.startswith("FAILS")] == [part]
    assert err.startswith(f"instance-ha: {part}: ")
    assert "s3cret-word" not in out + err


def test_a_cloud_that_is_not_there_is_a_problem(check: Check, good: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        file.write_text(clouds_yaml(Cloud(RealClock()), f"http://127.0.0.1:{probe.getsockname()[1]}"))
    code, out, _ = check(good | {"OS_CLIENT_CONFIG_FILE": str(file)})
    assert code == 1
    assert lines(out)["cloud"].startswith("FAILS: ")


def test_a_kubeconfig_without_a_cluster_is_a_problem(check: Check, good: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(
        '{"apiVersion": "v1", "kind": "Config", "current-context": "c",'
        '"users": [{"name": "u", "user": {"token": "t"}}],'
        f'"clusters": [{{"name": "c", "cluster": {{"server": "{NOWHERE}"}}}}],'
        '"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}'
    )
    kubernetes = {"INSTANCE_HA_MONITORING_DRIVER": "kubernetes", "INSTANCE_HA_KUBERNETES_CONFIG_FILE": str(file)}
    code, out, _ = check(good | kubernetes)
    assert code == 1
    assert lines(out)["kubernetes"].startswith("FAILS: ")


def test_an_empty_database_is_a_problem_that_names_its_mending(
    check: Check, good: dict[str, str], postgres: Postgres
) -> None:
    postgres.run("CREATE DATABASE check_config_empty")
    code, _, err = check(good | {"DATABASE_URL": postgres.named("check_config_empty")})
    postgres.run("DROP DATABASE check_config_empty WITH (FORCE)")
    assert code == 1
    assert "instance-ha db upgrade" in err


def test_every_wrong_setting_is_a_line_and_then_nothing_is_asked(check: Check, tmp_path: Path) -> None:
    wrong = {"DATABASE_URL": "postgresql://db/ha"}
    wrong |= {
        "INSTANCE_HA_RECOVERY_FLOWS_FILE": str(tmp_path / "none.conf"),
        "INSTANCE_HA_POLICY_FILE": str(tmp_path / "none.yaml"),
    }
    code, out, err = check(wrong)
    assert (code, out) == (1, "")
    expected = ("INSTANCE_HA_TRIGGER_SINK", "OS_CLOUD", "none.yaml", "none.conf")
    assert all(word in line for word, line in zip(expected, err.splitlines(), strict=True))


def test_offline_nothing_is_asked(check: Check) -> None:
    settings = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_TRIGGER_SINK": "http://broker.test"}
    settings |= {"INSTANCE_HA_TRIGGER_KEY": "a-key-for-triggers", "OS_AUTH_URL": "https://keystone.test"}
    assert check(settings, "--offline") == (0, "The configuration is good.\n", "")


def test_settings_that_let_recoveries_stand_still_for_long_are_noted(check: Check, good: dict[str, str]) -> None:
    code, out, _ = check(good | {"INSTANCE_HA_LEASE_TIME": "30"}, "--offline")
    assert code == 0
    assert "up to 33 s, more than 20 s" in out
    assert "Note" not in check(good, "--offline")[1]


def register(database_url: str, *names: str) -> None:
    """Register hosts in a segment."""
    now = datetime.now(UTC)
    with Database(database_url, 1).begin() as connection:
        values = {"name": "rack", "recovery_method": "auto", "service_type": "compute"}
        segment = segments.create(connection, values, now)
        for name in names:
            values = {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}
            hosts.create(connection, segment.uuid, values, now)


def fencing_file(folder: Path, url: str, password: str) -> str:
    """Say that compute1 has this BMC, and all others none."""
    method = {"method": "redfish", "address": url, "username": USERNAME, "password": password}
    (folder / "fencing.yaml").write_text(json.dumps({"hosts": [{"match": "compute1", "ladder": [method]}]}))
    return str(folder / "fencing.yaml")


def test_each_host_that_could_be_fenced_is_counted(
    check: Check, good: dict[str, str], bmc: RedfishService, tmp_path: Path
) -> None:
    register(good["DATABASE_URL"], "compute1")
    file = fencing_file(tmp_path, bmc.url, PASSWORD)
    code, out, _ = check(good | {"INSTANCE_HA_FENCING_FILE": file})
    assert (code, lines(out)["fencing"]) == (0, "answers: each of 1 hosts could be fenced in 1 ways altogether")
    assert bmc.systems["1"].asked == []


def test_a_host_that_could_not_be_fenced_is_named_without_a_secret(
    check: Check, good: dict[str, str], bmc: RedfishService, tmp_path: Path
) -> None:
    register(good["DATABASE_URL"], "compute1", "compute2")
    file = fencing_file(tmp_path, bmc.url, "a-password-of-yesterday")
    code, out, err = check(good | {"INSTANCE_HA_FENCING_FILE": file})
    assert code == 1
    assert "compute1: redfish at http://127.0.0.1" in lines(out)["fencing"]
    assert "401" in err and "compute2: no way to fence it" in err
    assert "a-password-of-yesterday" not in out + err


def test_a_file_of_fences_that_makes_no_sense_is_named(check: Check, good: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "fencing.yaml").write_text("hosts: [{match: compute1}]")
    code, _, err = check(good | {"INSTANCE_HA_FENCING_FILE": str(tmp_path / "fencing.yaml")}, "--offline")
    assert (code, "hosts.0.ladder: Field required" in err) == (1, True)
