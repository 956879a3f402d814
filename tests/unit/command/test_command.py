"""The operator's commands: what they print, and their exit codes."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from instance_ha import command
from instance_ha.command import manage
from instance_ha.command.status import read, screen
from instance_ha.models.events import Event
from instance_ha.store import outbox
from instance_ha.store.database import Database
from instance_ha.store.schema import host_health, notifications
from instance_ha_simulator.postgres import Postgres
from sqlalchemy import insert, text, update

from tests.unit.build import NOW
from tests.unit.purge.history import HOST, MESSAGE, SEGMENT, VMOVE, History

ROOT = Path(__file__).parents[3]
Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(database_url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """Run a command, with further variables; returns its exit code, what it printed, and what it complained about."""
    before = structlog.get_config()
    environ = {"DATABASE_URL": database_url, "INSTANCE_HA_EVENT_SINKS": "one=http://one.test two=http://two.test"}

    def run(main: Callable[..., None], words: str, **variables: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words.split(), environ | variables)
        said = capsys.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else int(bool(code)), said.out, said.err

    yield run
    structlog.configure(**before)


def test_the_version_is_printed(shell: Shell) -> None:
    for main in (command.main, manage.main):
        assert shell(main, "db version") == (0, "0001\n", "")


def test_an_empty_database_has_no_version_and_an_upgrade_gives_it_one(shell: Shell, postgres: Postgres) -> None:
    name = f"empty_{uuid4().hex[:12]}"
    postgres.run(f"CREATE DATABASE {name}")
    there = {"DATABASE_URL": postgres.named(name)}
    assert shell(manage.main, "db version", **there) == (0, "None\n", "")
    assert shell(command.main, "db upgrade", **there)[0] == 0
    assert shell(manage.main, "--config-file /etc/masakari/masakari.conf db sync", **there)[0] == 0
    assert shell(command.main, "db version", **there)[1] == "0001\n"
    postgres.drop(name)


@pytest.mark.parametrize("words", ["db version", "db sync", "db purge"])
def test_a_database_that_is_not_there_is_one_line_that_tells_no_password(shell: Shell, words: str) -> None:
    code, out, err = shell(manage.main, words, DATABASE_URL="postgresql://ha:s3cret@127.0.0.1:1/ha")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "s3cret" not in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("", 2),
        ("volume", 2),
        ("db", 1),
        ("db fly", 2),
        ("db sync 7", 1),
        ("db purge --max_rows many", 2),
        ("db purge --max_rows -2", 1),
        ("db purge --max_rows 2147483648", 1),
        ("db purge --max_rows 0", 1),
        ("db purge --age_in_days -1", 1),
        ("db purge --age_in_days 99999", 1),
        ("db purge", 0),
    ],
)
def test_the_exit_codes_are_those_of_masakari_manage(shell: Shell, words: str, code: int) -> None:
    ended, _, err = shell(manage.main, words)
    assert ended == code
    assert bool(err) == bool(code)


def test_a_purge_prints_the_rows_of_each_table(shell: Shell, database_url: str) -> None:
    history = History(database_url, now=datetime.now(UTC), purge_batch="1")
    history.notification("n", 1000, moves=3)
    _, counted, _ = shell(command.main, "db purge --dry-run --max-rows 2")
    assert "vmoves: 2\n" in counted
    assert counted.endswith("would purge 2 rows\n")
    assert shell(manage.main, "db purge --max_rows 2")[1].endswith("purged 2 rows\n")
    code, out, err = shell(command.main, "db purge --age_in_days 60")
    assert (code, err, out.splitlines()[-1]) == (0, "", "purged 2 rows")
    assert history.left() == {}


def test_a_purge_ends_when_it_may_take_none_of_what_is_left(shell: Shell, database_url: str) -> None:
    history = History(database_url, now=datetime.now(UTC), archive_bucket="any")
    history.notification("n", 1000, moves=3)
    history.simulation.faults.kill.append({"breakpoint": "batch-planned", "nth": 1})
    history.purge()
    history.run()
    with history.world.database.begin() as connection:
        connection.execute(text("UPDATE purge_batches SET lease_until = NULL"))
    assert shell(manage.main, "db purge --max_rows 2", INSTANCE_HA_ARCHIVE_BUCKET="any")[0] == 0
    assert history.left() == {"notifications": 1, "vmoves": 3}


def test_a_purge_goes_on_until_nothing_is_left(shell: Shell, database_url: str) -> None:
    history = History(database_url, now=datetime.now(UTC))
    history.notification("n", 1000, moves=1000)
    small = {"INSTANCE_HA_INVOCATION_TIME": "1.001", "INSTANCE_HA_PURGE_BATCH": "1"}
    assert shell(command.main, "db purge", **small)[1].endswith("purged 1001 rows\n")


def write(database: Database, *sinks: str) -> None:
    """Have a dead letter for each sink."""
    event = Event(event_id=str(uuid4()), event_type="t", subject="s", created_at=NOW, body="{}")
    with database.begin() as connection:
        outbox.add(connection, sinks, [event])
        for sink in sinks:
            outbox.dead_letter_older(connection, sink, NOW + timedelta(days=1), "it was away", NOW)


def test_dead_letters_are_sent_again_for_one_sink_or_for_all(shell: Shell, database: Database) -> None:
    write(database, "one", "two")
    write(database, "one", "two")
    assert shell(command.main, "events resend --sink two") == (0, "2 events will be sent again\n", "")
    assert shell(command.main, "events resend") == (0, "2 events will be sent again\n", "")
    assert shell(command.main, "events resend --sink three")[0] == 1


def test_the_status_of_an_empty_installation_says_none(shell: Shell) -> None:
    code, out, _ = shell(command.main, "status")
    assert (code, out.count(": none")) == (0, 7)


def test_the_status_is_one_screen(database_url: str) -> None:
    history = History(database_url, now=NOW)
    history.add("failover_segments", SEGMENT | {"uuid": "segment", "name": "rack1"})
    for name, about in {"compute1": {"on_maintenance": True}, "compute2": {"reserved": True}, "compute3": {}}.items():
        history.add("hosts", HOST | {"uuid": name, "name": name} | about)
    seen = {"listed": True, "suppressed": False, "reported": "nothing", "since": NOW}
    networks = {"manage": "down", "tenant": "up", "storage": "up"}
    with history.world.database.begin() as connection:
        sample = [{"at": NOW.isoformat(), "vector": networks}]
        connection.execute(insert(host_health).values(host_uuid="compute2", state="up", samples=[], **seen))
        connection.execute(insert(host_health).values(host_uuid="compute3", state="degraded", samples=sample, **seen))
    running: dict[str, Any] = {
        "status": "running",
        "attempt": 2,
        "source_host_uuid": "compute1",
        "type": "COMPUTE_HOST",
    }
    history.notification("running", None, tasks=0, **running, created_at=0)
    history.add("recovery_tasks", _task("running", 0, "DisableComputeServiceTask", "SUCCESS"))
    history.add("recovery_tasks", _task("running", 1, "EvacuateInstancesTask", "RUNNING"))
    # Instance 0 moved in the first attempt; instance 1 is tried for the third time: each counts once, by its latest.
    first = [(0, "1.1", "succeeded"), (1, "1.1", "failed"), (2, "1.1", "failed")]
    second = [(1, "2.1", "failed"), (1, "2.2", "ongoing"), (2, "2.1", "failed")]
    for number, attempt, status in first + second:
        move = VMOVE | {"notification_uuid": "running", "instance_uuid": f"{number}", "status": status}
        history.add("vmoves", move | {"attempt": int(attempt[0]), "round": int(attempt[2])})
    failed: dict[str, Any] = {"status": "failed", "message": "no host\nis left", "source_host_uuid": "compute3"}
    history.notification("failed", 2, **failed)
    history.notification("failed-long-ago", 40, **failed)
    pause = {"uuid": "p", "scope": "host", "host_uuid": "compute2", "reason": "new fan", "actor": "ada"}
    history.add("pauses", pause | {"until": NOW + timedelta(hours=1)})
    history.add("pauses", pause | {"uuid": "over", "until": NOW - timedelta(hours=1)})
    history.notification("finished", 0.1, moves=2, source_host_uuid="compute2", type="COMPUTE_HOST")
    history.notification("finished-before", 2, source_host_uuid="compute2")
    waits: dict[str, Any] = {"status": "error", "attempt": 1, "source_host_uuid": "compute1", "message": "Nova is away"}
    history.notification("waits", None, **waits, created_at=0)
    with history.world.database.begin() as connection:
        due = NOW + timedelta(seconds=210)
        connection.execute(update(notifications).values(due_at=due).where(notifications.c.status == "error"))
    history.add("outbox", MESSAGE | {"state": "dead"})
    with history.world.database.begin() as connection:
        lines = list(screen(read(connection, NOW + timedelta(seconds=90)), NOW + timedelta(seconds=90)))
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert text == EXPECTED


def test_a_long_reason_is_shown_to_its_end_and_a_long_table_says_that_there_is_more(database_url: str) -> None:
    history = History(database_url, now=NOW)
    reason = "0 of 1 instances evacuated, 1 failed: vm: " + "No valid host was found. " * 20 + "the cause"
    for number in range(12):
        history.notification(f"failed-{number:02}", 1, status="failed", message=reason)
    with history.world.database.begin() as connection:
        lines = list(screen(read(connection, NOW), NOW))
    assert sum(line.endswith("the cause") for line in lines) == 10
    assert "and more" in lines


def _task(uuid: str, position: int, name: str, state: str) -> dict[str, Any]:
    return {"notification_uuid": uuid, "attempt": 2, "position": position, "name": name, "state": state}


EXPECTED = """\
SEGMENT METHOD ENABLED HOSTS RESERVED ON MAINTENANCE
rack1 auto yes 3 1 1

HOST SEGMENT IS
compute1 rack1 on maintenance
compute2 rack1 reserved
compute3 rack1 degraded for 90 s (manage down, tenant up, storage up)

RECOVERY OF TYPE STATUS FOR PROGRESS NOTIFICATION
compute1 COMPUTE_HOST running 90 s attempt 2, EvacuateInstancesTask, 1 of 3 moved, 1 failed running
compute1 VM error 90 s next attempt in 2 min waits
Nova is away

PAUSE OF UNTIL BY REASON
host compute2 2026-11-22 04:00 UTC ada new fan

FAILED TYPE AGO INSTANCES NOTIFICATION
compute3 VM 2 d none failed
no host is left

ENDED WELL TYPE AGO INSTANCES NOTIFICATION
compute2 COMPUTE_HOST 2 h 2 of 2 moved finished

EVENTS TO STATE COUNT REASON
one dead 1"""


def test_the_command_is_a_module_too(database_url: str) -> None:
    environ = {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT / "lib")}
    words = [sys.executable, "-m", "instance_ha.command", "db", "version"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0001\n", "")


def test_an_interrupted_command_ends_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_options: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    before = structlog.get_config()
    assert command.run(argparse.Namespace(run=interrupted)) == 130
    structlog.configure(**before)
    assert capsys.readouterr() == ("", "")


def test_a_wrong_setting_is_one_line(database_url: str) -> None:
    environ = {"DATABASE_URL": database_url, "PYTHONPATH": str(ROOT / "lib"), "INSTANCE_HA_SINKS": "x"}
    words = [sys.executable, "-m", "instance_ha.command", "status"]
    done = subprocess.run(words, env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "INSTANCE_HA_SINKS" in done.stderr


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Name the parsers of all commands, but for those that the simulator's package brings."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for inner in (inner for group in groups for name, inner in group.choices.items()):
        yield from leaves(inner)
    if not groups and parser.prog.split()[-1] not in {"simulate", "replay"}:
        yield parser


LEAVES = list(leaves(command.parser()))


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.prog)
def test_the_help_of_each_command_has_its_exit_codes_and_an_example_that_it_takes(
    leaf: argparse.ArgumentParser,
) -> None:
    text = leaf.format_help()
    (example,) = re.findall(r"^example:\n  instance-ha (.*)$", text, re.MULTILINE)
    assert leaf.prog == " ".join(["instance-ha", *example.split()])[: len(leaf.prog)]
    assert command.parser().parse_args(example.split(" >")[0].split()).run is leaf.get_default("run")
    shown_in_part = ["3"] if leaf.prog in {"instance-ha plan", "instance-ha readiness"} else []
    assert re.findall(r"^  (\d)  \w", text, re.MULTILINE) == ["0", "1", "2", *shown_in_part]


def test_each_command_that_prints_something_prints_json() -> None:
    assert {leaf.prog for leaf in LEAVES if "--output" not in leaf.format_help()} == {
        "instance-ha db upgrade",
        "instance-ha tick",
    }


def test_the_version_of_the_package_is_told(shell: Shell) -> None:
    assert re.fullmatch(r"instance-ha \d+\.\d+\.\d+\n", shell(command.main, "--version")[1])
