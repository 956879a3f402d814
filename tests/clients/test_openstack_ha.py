"""Each command of ``openstack ha``: what it does, and what it says when that cannot be."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Recovery
from tests.clients.openstack_shell import OpenStackShell
from tests.functions.conftest import Installation, closed

UNKNOWN = "00000000-0000-4000-8000-000000000000"
OURS = {point.name.replace("_", " "): point for point in entry_points(group="openstack.extension")}
NOUNS = "/v1/x-instance-ha"

Command = Callable[..., Any]


@pytest.fixture
def ha(shell: OpenStackShell) -> Command:
    """Runs a command that must work, and returns what it shows to people."""

    def shown(command: str, *words: str) -> str:
        done = shell.run("ha", *command.split(), *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    return shown


@pytest.fixture
def ha_json(ha: Command) -> Command:
    """Runs a command that must work, and returns what it shows to programs."""
    return lambda command, *words: json.loads(ha(command, *words, "-f", "json"))


@pytest.fixture
def refused(shell: OpenStackShell) -> Command:
    """Runs a command that must fail, and returns what it says."""

    def said(command: str, *words: str) -> str:
        done = shell.run("ha", *command.split(), *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        return str(done.stderr)

    return said


@pytest.fixture
def held(installation: Installation, host: dict[str, Any]) -> Iterator[str]:
    """The uuid of a notification whose recovery a gate holds, and that no function touches."""
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-02"))["notification_uuid"]
    change = (
        "UPDATE notifications SET status = :status, due_at = :due, held_since = :held, held_by = :by, "
        "message = :message, payload = payload || :event WHERE notification_uuid = :uuid"
    )
    dead, back = '{"event": "STOPPED"}', '{"event": "STARTED"}'  # or many of them are a storm
    words = "held: storm_segment: 3 of 4 hosts"
    installation.sql(
        change,
        status="error",
        due="2100-01-01",
        held="2026-01-01",
        by="{storm_segment}",
        message=words,
        uuid=uuid,
        event=dead,
    )
    installation.sql(
        "INSERT INTO gate_decisions (decided_at, notification_uuid, attempt, gate, verdict, saw, reason) "
        "VALUES (now(), :uuid, 0, 'storm_segment', 'held', '{}', 'too many')",
        uuid=uuid,
    )
    yield uuid
    installation.sql(change, status="finished", due=None, held=None, by="{}", message=None, uuid=uuid, event=back)


@pytest.fixture
def paused(ha_json: Command, ha: Command, host: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A pause of a host."""
    made = ha_json("pause", "--host", host["uuid"], "--for", "90m", "--reason", "works")
    yield made
    ha("unpause", made["uuid"])


def test_no_command_of_ours_is_forgotten_here() -> None:
    tried = set(re.findall(r'\b(?:ha|ha_json|refused)\(\s*"([a-z ]+)"', Path(__file__).read_text()))
    assert {f"ha {name}" for name in tried} == {name for name in OURS if name.startswith("ha ")}


@pytest.mark.parametrize("name", OURS)
def test_each_command_says_what_it_does_and_gives_an_example_that_it_takes(name: str) -> None:
    command: Any = OURS[name].load()(None, None)
    example = command.get_epilog().removeprefix("Example: openstack ")
    assert example.startswith(name)
    line = re.sub(r'"[^"]*"', "text", example.split(" >")[0])
    command.get_parser(name).parse_args(line.removeprefix(name).split())
    assert command.get_description()


def test_the_commands_stand_beside_those_of_masakari_and_are_completed(environ: dict[str, str]) -> None:
    def openstack(*words: str) -> str:
        program = str(Path(sys.executable).with_name("openstack"))
        done = subprocess.run([program, *words], env=environ, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    stock = {
        point.name for group in entry_points().groups if "openstack.ha" in group for point in entry_points(group=group)
    }
    assert stock.isdisjoint(name.replace(" ", "_") for name in OURS)
    listed = {
        command for group in json.loads(openstack("command", "list", "-f", "json")) for command in group["Commands"]
    }
    assert listed >= OURS.keys() | {name.replace("_", " ") for name in stock}
    assert re.search(r"^  cmds_ha_evidence='(.*)'$", openstack("complete"), re.MULTILINE)


def test_status_lists_what_is_under_way_and_what_needs_somebody(
    ha_json: Command, held: str, paused: dict[str, Any], host: dict[str, Any]
) -> None:
    rows = {row["uuid"]: row for row in ha_json("status")}
    assert rows[held]["what"] == "recovery of host"
    assert (rows[held]["name"], rows[held]["message"]) == (host["name"], "held: storm_segment: 3 of 4 hosts")
    assert (rows[paused["uuid"]]["what"], rows[paused["uuid"]]["name"]) == ("pause of host", host["name"])


def test_status_lists_a_host_that_is_out_of_service_and_a_segment_that_is_less_ready_than_promised(
    installation: Installation, ha_json: Command, segment: dict[str, Any]
) -> None:
    host = installation.host(segment, on_maintenance=True)
    installation.tick("readiness")
    installation.sql("UPDATE readiness SET trouble = 'none may die', since = now()")
    rows = {row["uuid"]: row for row in ha_json("status")}
    installation.sql("DELETE FROM readiness")
    assert (rows[host["uuid"]]["name"], rows[host["uuid"]]["status"]) == (host["name"], "on maintenance")
    assert rows[segment["uuid"]]["message"] == "none may die"


def test_plan_shows_a_row_for_each_host_or_each_instance(
    installation: Installation, ha: Command, ha_json: Command, host: dict[str, Any], segment: dict[str, Any]
) -> None:
    other = installation.host(segment)
    (server,) = installation.cloud.boot(host["name"], 1)
    first, second = ha_json("plan", host["name"], other["uuid"])
    assert (first["host"], second["host"], second["outlook"]) == (host["name"], other["name"], "nothing")
    assert [instance["id"] for instance in first["instances"]] == [server.id]
    assert re.search(rf"\| {host['name']} +\| 1 +\|", ha("plan", host["name"], "-c", "host", "-c", "instances"))
    (instance,) = ha_json("plan", "--instances", host["name"])
    assert (instance["id"], instance["left_out"]) == (server.id, None)
    assert "disable" in ha("plan", "--long", host["name"], "-c", "before")


def test_plan_ends_with_3_when_one_is_not_known(
    installation: Installation, shell: OpenStackShell, host: dict[str, Any]
) -> None:
    installation.cloud.set_cell("cell1", answers=False)
    try:
        done = shell.run("ha", "plan", host["name"], "-f", "json")
    finally:
        installation.cloud.set_cell("cell1", answers=True)
    assert (done.returncode, json.loads(done.stdout)[0]["outlook"]) == (3, "not_known"), done.stderr


def test_plan_of_an_unknown_host_says_which(refused: Command) -> None:
    assert "host nowhere (HTTP 400)" in refused("plan", "nowhere")


def test_explain_answers_five_questions(ha: Command, ha_json: Command, recovery: Recovery) -> None:
    shown = ha_json("explain", recovery.uuid)
    assert (shown["host"], len(shown["questions"])) == (recovery.host["name"], 5)
    short, long = (ha("explain", recovery.uuid, *more, "-c", "questions") for more in ([], ["--long"]))
    assert len(short.splitlines()) < len(long.splitlines())


def test_explain_of_an_unknown_notification_is_refused(refused: Command) -> None:
    assert "(HTTP 404)" in refused("explain", UNKNOWN)


def test_approve_and_deny_are_kept_with_their_reason(ha_json: Command, refused: Command, held: str) -> None:
    assert [one["gate"] for one in ha_json("decision list", "--notification", held)] == ["storm_segment"]
    approved = ha_json("approve", held, "--reason", "rack 7 has burnt down")
    assert (approved["verdict"], approved["gates"]) == ("approve", ["storm_segment"])
    assert ha_json("deny", held, "--reason", "a switch")["verdict"] == "deny"
    listed = ha_json("approval list", "--notification", held, "--limit", "1")
    assert [one["reason"] for one in listed] == ["a switch"]
    assert "(HTTP 400)" in refused("approve", UNKNOWN, "--reason", "x")


def test_a_segment_is_paused_by_its_name_and_goes_on_when_the_pause_is_ended(
    ha: Command, ha_json: Command, refused: Command, segment: dict[str, Any]
) -> None:
    made = ha_json("pause", "--segment", segment["name"], "--for", "1h30m", "--reason", "works")
    assert (made["scope"], made["segment_uuid"]) == ("segment", segment["uuid"])
    listed = {one["uuid"]: one["name"] for one in ha_json("pause list")}
    assert listed[made["uuid"]] == segment["name"]
    assert ha("unpause", made["uuid"]) == ""
    assert made["uuid"] not in {one["uuid"] for one in ha_json("pause list")}
    assert made["uuid"] in {one["uuid"] for one in ha_json("pause list", "--all")}
    assert "has ended (HTTP 409)" in refused("unpause", made["uuid"])


def test_one_pause_that_cannot_be_ended_leaves_the_others_to_be_ended(
    refused: Command, ha_json: Command, segment: dict[str, Any]
) -> None:
    made = ha_json("pause", "--segment", segment["name"], "--for", "60", "--reason", "works")
    assert UNKNOWN in refused("unpause", UNKNOWN, made["uuid"])
    assert made["uuid"] not in {one["uuid"] for one in ha_json("pause list")}


def test_the_cloud_is_paused_until_a_time_that_is_to_come(refused: Command) -> None:
    said = refused("pause", "--cloud", "--until", "2026-01-01T00:00:00Z", "--reason", "too late")
    assert "until must be a time within the 7 days from now" in said


def test_a_segment_that_is_not_there_is_named(refused: Command) -> None:
    assert "No segment has the name or uuid 'nowhere'" in refused("policy show", "nowhere")


def test_policy_set_changes_what_is_given_and_nothing_else(
    ha: Command, ha_json: Command, refused: Command, segment: dict[str, Any]
) -> None:
    sets = ["--dead-when", "service_down,power_off", "--dead-when", "confirmed"]
    assert ha("policy set", segment["name"], "--mode", "approve", "--local-disk", "hold", *sets) == ""
    shown = ha_json("policy show", segment["uuid"])
    assert (shown["mode"], shown["local_disk"], shown["returns"]) == ("approve", "hold", "manual")
    assert shown["dead_when"] == [["power_off", "service_down"], ["confirmed"]]
    assert "dead_when" in refused("policy set", segment["name"], "--dead-when", "hearsay")


def test_a_death_is_confirmed_and_listed(ha_json: Command, refused: Command, held: str, host: dict[str, Any]) -> None:
    made = ha_json("evidence confirm", host["uuid"], "--reason", "cable pulled", "--valid-for", "30m")
    assert (made["kind"], made["verdict"], made["notification_uuid"]) == ("confirmed", "dead", held)
    listed = ha_json("evidence list", "--host", host["name"], "--long")
    assert [(one["host"], one["detail"]) for one in listed] == [(host["name"], {"reason": "cable pulled"})]
    assert "(HTTP 400)" in refused("evidence confirm", "nowhere", "--reason", "x")


def test_readiness_is_shown_by_segment_and_by_host(
    installation: Installation, ha_json: Command, refused: Command, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    assert "was not checked yet" in refused("readiness", segment["name"])
    installation.tick("readiness")
    installation.sql("UPDATE readiness SET survives = 1")
    listed = {one["segment_name"]: one for one in ha_json("readiness")}
    assert listed[segment["name"]]["is_fresh"] is True
    assert [one["name"] for one in ha_json("readiness", segment["name"])] == [host["name"]]
    installation.sql("DELETE FROM readiness")


@pytest.mark.parametrize("change", ["survives = 0", "survives = NULL", "survives = 1, checked_at = '2001-01-02'"])
def test_readiness_ends_with_3_when_no_host_may_die_or_that_is_not_known(
    installation: Installation, shell: OpenStackShell, segment: dict[str, Any], host: dict[str, Any], change: str
) -> None:
    installation.tick("readiness")
    installation.sql(f"UPDATE readiness SET {change}")
    codes = [shell.run("ha", "readiness", *words).returncode for words in ([], [segment["name"]])]
    installation.sql("DELETE FROM readiness")
    assert codes == [3, 3], host


def test_a_recovered_host_is_brought_back_and_its_return_stopped(
    ha: Command, ha_json: Command, refused: Command, recovery: Recovery
) -> None:
    name = recovery.host["name"]
    made = ha_json("return", name, "--move-home")
    assert (made["status"], made["move_home"]) == ("waiting", True)
    assert ha_json("return show", name)["uuid"] == ha_json("return show", made["uuid"])["uuid"] == made["uuid"]
    assert "return of host" in {row["what"] for row in ha_json("status")}
    assert ha("return stop", name) == ""
    assert [(one["uuid"], one["host"]) for one in ha_json("return list", "--host", name)] == [(made["uuid"], name)]
    assert "(HTTP 404)" in refused("return stop", UNKNOWN)


def test_a_host_that_never_came_back_has_no_return(refused: Command, host: dict[str, Any]) -> None:
    assert "was never recovered" in refused("return", host["name"])
    assert f"Host {host['name']} was never brought back" in refused("return show", host["name"])


def test_an_incident_is_shown_in_all_and_by_instance_and_as_a_page(
    ha: Command, ha_json: Command, refused: Command, recovery: Recovery
) -> None:
    shown = ha_json("incident show", recovery.uuid)
    assert (shown["host"], shown["instances"]) == (recovery.host["name"], 3)
    assert {one["instance_name"] for one in ha_json("incident instance list", recovery.uuid)} == set(
        recovery.servers.values()
    )
    assert "detected: " in ha("incident show", recovery.uuid)
    assert ha("incident report", recovery.uuid).startswith("# ")
    assert "(HTTP 404)" in refused("incident show", UNKNOWN)


def test_a_user_who_may_not_is_told_so(environ: dict[str, str], shell: OpenStackShell, segment: dict[str, Any]) -> None:
    done = shell.run("--os-cloud", "demo", "ha", "policy", "show", segment["uuid"])
    assert (done.returncode, done.stdout) == (1, "")
    assert "(HTTP 403)" in done.stderr


def test_output_comes_in_every_format(ha: Command, segment: dict[str, Any]) -> None:
    assert "mode: auto" in ha("policy show", segment["name"], "-f", "yaml")
    assert 'mode="auto"' in ha("policy show", segment["name"], "-f", "shell")
    assert ha("policy show", segment["name"], "-f", "value", "-c", "mode") == "auto\n"
    assert re.search(r"\| dead_when +\| service_down +\|", ha("policy show", segment["name"]))
