"""``instance-ha check-config``: each part that the settings name is asked, and it is said which answered."""

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from instance_ha import command, composition
from instance_ha.command.parts import parts, trigger_addresses
from instance_ha.models.errors import Misconfigured
from instance_ha.store import hosts, segments
from instance_ha.store.database import Database
from instance_ha.world import WholeWorld
from instance_ha_simulator.cloud import consul
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.guests import Guests
from instance_ha_simulator.postgres import Postgres

from tests.bmc import PASSWORD, USERNAME, Machine, RedfishService, redfish
from tests.followers import KEYS, Aws
from tests.receivers import receiver

Check = Callable[..., tuple[int, str, str]]
NOWHERE = "http://127.0.0.1:1"
FLOW = f"process_failure_recovery_tasks = pre:['no_op'], main:['{NOWHERE}/x'], post:['no_op']"
NOTHING = b'{"notifications": []}'
AT_AWS = KEYS | {"INSTANCE_HA_EVENT_ENDPOINT_URL": NOWHERE}


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


def answer_nothing(connection: socket.socket) -> None:
    """Answer that there are no notifications."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(NOTHING), NOTHING))


@pytest.fixture
def good(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A configuration whose parts are all there."""
    cloud = Cloud(RealClock())
    server = LoopbackServer(create_app(cloud))
    server.start()
    (tmp_path / "clouds.yaml").write_text(clouds_yaml(cloud, server.url))
    with receiver(answer_nothing) as api:
        yield {
            "DATABASE_URL": database_url,
            "OS_CLOUD": "masakari",
            "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
            "INSTANCE_HA_TRIGGER_SINK": f"{server.url}/{{function}}",
            "INSTANCE_HA_TRIGGER_KEY": "a-key-for-triggers",
            "INSTANCE_HA_CONSOLE_KEY": "a-key-for-sessions",
            "INSTANCE_HA_NOVA_TIMEOUT": "5",
            "INSTANCE_HA_API_URL": api.replace("/events", "/v1"),
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
        "placement": "answers: 0 resource providers",
        "callers' tokens": "answers: Keystone lets us check them",
        "trigger sink": "answers: takes connections; nothing was sent",
        "instance HA API": "answers: takes our token; nothing was posted",
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
        ("event sink topic", {"INSTANCE_HA_EVENT_SINKS": "topic=arn:aws:sns:eu-north-1:1:t", **AT_AWS}),
        ("event sink queue", {"INSTANCE_HA_EVENT_SINKS": f"queue=sqs+{NOWHERE}/1/q", **AT_AWS}),
        ("instance HA API", {"INSTANCE_HA_API_URL": f"{NOWHERE}/v1"}),
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


def test_the_name_of_a_function_may_stand_in_the_host_of_the_trigger_sink() -> None:
    assert trigger_addresses("http://{function}.openfaas-fn:8080/") == [
        "http://recover-host.openfaas-fn:8080/",
        "http://recover-instance.openfaas-fn:8080/",
    ]


def test_each_memcached_is_asked_since_the_check_of_tokens_goes_on_without(check: Check, good: dict[str, str]) -> None:
    code, out, _ = check(good | {"INSTANCE_HA_MEMCACHED_SERVERS": "127.0.0.1:1, 127.0.0.2:1"})
    assert code == 1
    assert [lines(out)[f"memcached 127.0.0.{n}:1"][:7] for n in (1, 2)] == ["FAILS: ", "FAILS: "]


def test_a_topic_and_a_queue_are_asked_for_and_get_nothing(check: Check, good: dict[str, str], aws: Aws) -> None:
    topic, queue = aws.topic_with_queue("asked")
    account = topic.rpartition(":")[0]
    sinks = f"topic={topic} queue=sqs+{queue} gone={account}:gone none=sqs+{queue}-none"
    said = check(good | KEYS | {"INSTANCE_HA_EVENT_ENDPOINT_URL": aws.url, "INSTANCE_HA_EVENT_SINKS": sinks})
    words = lines(said[1])
    assert [words[f"event sink {name}"][:7].strip() for name in ("topic", "queue", "gone", "none")] == [
        *("answers", "answers"),
        *("FAILS:", "FAILS:"),
    ]
    assert aws.messages(queue) == []


def test_a_task_that_is_a_url_is_connected_to(check: Check, good: dict[str, str], tmp_path: Path) -> None:
    flow = tmp_path / "flows.conf"
    flow.write_text(f"[taskflow_driver_recovery_flows]\n{FLOW}\n")
    file = {"INSTANCE_HA_RECOVERY_FLOWS_FILE": str(flow), "INSTANCE_HA_TASK_KEY": "a-key-for-tasks-of-others"}
    code, out, _ = check(good | file)
    assert (code, lines(out)["task 127.0.0.1:1"].split(":")[0]) == (1, "FAILS")


def test_hosts_whose_libvirt_is_not_reached_are_named(good: dict[str, str]) -> None:
    register(good["DATABASE_URL"], "compute1", "compute2")
    environ, guests = good | {"INSTANCE_HA_GUEST_MONITORING": "true"}, Guests()
    world = replace(composition.of(environ).whole(), hypervisors=guests)
    (libvirt,) = (part for part in parts(world, environ) if part.port == "hypervisors")
    assert libvirt.ask() == "2 hosts answer"
    guests.unreachable.add("compute2")
    with pytest.raises(Misconfigured, match=r"^1 of 2 hosts: compute2: compute2 is not reachable$"):
        libvirt.ask()


def test_each_port_of_the_world_is_asked(tmp_path: Path) -> None:
    (tmp_path / "fencing.yaml").write_text("hosts: []")
    (tmp_path / "flows.conf").write_text(f"[taskflow_driver_recovery_flows]\n{FLOW}\n")
    everything = {
        "DATABASE_URL": "postgresql://db/ha",
        "INSTANCE_HA_TRIGGER_SINK": NOWHERE,
        "INSTANCE_HA_MONITORING_DRIVER": "consul",
        "INSTANCE_HA_CONSUL_AGENT_MANAGE": NOWHERE,
        "INSTANCE_HA_GUEST_MONITORING": "true",
        "INSTANCE_HA_EVENT_SINKS": f"audit={NOWHERE}",
        "INSTANCE_HA_RECOVERY_FLOWS_FILE": str(tmp_path / "flows.conf"),
        "INSTANCE_HA_ARCHIVE_BUCKET": "history",
        "INSTANCE_HA_FENCING_FILE": str(tmp_path / "fencing.yaml"),
    }
    asked = {part.port for part in parts(composition.of(everything).whole(), everything)}
    ports = {
        one.name for one in fields(WholeWorld) if getattr(one.type, "__module__", "") == "instance_ha.models.ports"
    }
    # The clock is the machine's, and the policy is a file, read before anything is asked.
    assert asked == ports - {"clock", "policy"} | {"database"}


def test_a_cloud_that_is_not_there_is_a_problem(check: Check, good: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "nowhere.yaml"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        file.write_text(clouds_yaml(Cloud(RealClock()), f"http://127.0.0.1:{probe.getsockname()[1]}"))
    code, out, _ = check(good | {"OS_CLIENT_CONFIG_FILE": str(file)})
    assert code == 1
    assert lines(out)["cloud"].startswith("FAILS: ")
    assert "request to Nova retried" not in out  # no line of a log stands between those of the parts


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
    expected = ("INSTANCE_HA_TRIGGER_SINK", "OS_CLOUD", "none.yaml", "console-key", "none.conf")
    assert all(word in line for word, line in zip(expected, err.splitlines(), strict=True))


def test_offline_nothing_is_asked(check: Check) -> None:
    settings = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_TRIGGER_SINK": "http://broker.test"}
    settings |= {"INSTANCE_HA_TRIGGER_KEY": "a-key-for-triggers", "OS_AUTH_URL": "https://keystone.test"}
    settings["INSTANCE_HA_CONSOLE_KEY"] = "a-key-for-sessions"
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
    assert (code, lines(out)["fencing"]) == (0, "answers: each of 1 hosts can be fenced; 1 ways answer in all")
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
