"""``instance-ha simulate``: what it prints, and its exit codes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from instance_ha.command import simulator
from instance_ha.models.errors import Misconfigured
from instance_ha_simulator.command import simulate
from instance_ha_simulator.outcome import Outcome, difference
from instance_ha_simulator.postgres import Postgres

HERE = Path(__file__).parent
Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(postgres: Postgres, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run the command; returns its exit code, what it printed, and what it complained about."""

    def run(*words: object) -> tuple[int, str, str]:
        code = simulate.main([*map(str, words), "--postgres", postgres.url], {})
        return code, *capsys.readouterr()

    return run


def test_the_simulator_adds_its_commands_to_those_of_the_functions(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "instance_ha.command", "simulate", str(tmp_path), "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    with pytest.raises(Misconfigured, match=r"pip install -e \./lib -e \./simulator"):
        simulator.find("a-command-that-the-simulator-has-not")


def test_a_folder_is_played_and_its_end_is_told(shell: Shell) -> None:
    code, out, err = shell(HERE / "vm-in-paused")
    assert (code, err) == (0, "")
    log, account = out.split("\n\n")
    assert log + "\n" == (HERE / "vm-in-paused/expected.log").read_text()
    assert account.splitlines()[:2] == [
        "notification-1: finished, 1 of 1 instances evacuated",
        "evacuations: 1 succeeded",
    ]
    assert account.splitlines()[-1].startswith("every promise was kept; ")


def test_a_promise_that_is_not_kept_is_told_and_ends_with_1(shell: Shell, tmp_path: Path) -> None:
    world = (HERE / "vm-in-paused/world.yaml").read_text()
    (tmp_path / "world.yaml").write_text(world.replace("states: {vm: paused}", "states: {vm: active}"))
    code, out, _ = shell(tmp_path)
    assert code == 1
    assert "not kept: at the end, states: {'vm': 'paused'}, expected {'vm': 'active'}\n" in out


def test_a_story_that_does_not_end_ends_with_1(shell: Shell, tmp_path: Path) -> None:
    world = (HERE / "vm-in-paused/world.yaml").read_text()
    (tmp_path / "world.yaml").write_text(f"{world}limit: 11\n")
    code, out, _ = shell(tmp_path)
    assert code == 1
    assert "not kept: it is not over after 11 s\n" in out


def test_a_folder_that_cannot_be_used_is_told_in_a_line_and_ends_with_2(shell: Shell, tmp_path: Path) -> None:
    assert shell(tmp_path)[::2] == (
        2,
        f"{tmp_path}/world.yaml: cannot be read: No such file or directory\n",
    )
    (tmp_path / "world.yaml").write_text((HERE / "vm-in-paused/world.yaml").read_text())
    (tmp_path / "flows.conf").write_text("[taskflow_driver_recovery_flows]\nnonsense = 1\n")
    code, _, err = shell(tmp_path)
    assert code == 2
    assert err.startswith(f"{tmp_path} cannot be played: ")


def test_several_runs_are_played_in_different_orders_and_compared(shell: Shell) -> None:
    code, out, err = shell(HERE / "two-hosts-die-at-once", "--runs", 2, "--seed", 5)
    assert (code, err) == (0, "")
    first, second, _, summary = out.splitlines()
    assert first.startswith("seed 5: finished, finished; evacuations: 6 succeeded; ")
    assert second.startswith("seed 6: finished, finished; evacuations: 6 succeeded; ")
    assert summary == "2 runs, 2 different orders of decisions, 1 different ends"


def test_the_same_seed_gives_the_same_run(shell: Shell) -> None:
    assert shell(HERE / "two-hosts-die-at-once", "--seed", 5) == shell(HERE / "two-hosts-die-at-once", "--seed", 5)


def outcome(status: str = "finished", *, broken: tuple[str, ...] = (), **vmoves: str) -> Outcome:
    return Outcome([f"t+1 {status}"], [(status, None)], vmoves, list(broken), 1.0, 1)


def test_runs_that_ended_otherwise_are_told_with_what_is_different() -> None:
    outcomes = {
        7: outcome(a="succeeded", b="succeeded"),
        8: outcome(a="succeeded", b="succeeded"),
        9: outcome("failed", broken=("b was forgotten",), a="succeeded", b="failed", c="failed"),
    }
    assert list(difference(outcomes)) == [
        "3 runs, 2 different orders of decisions, 2 different ends",
        "seed 9 ended otherwise than seed 7:",
        "  notification-1: failed instead of finished",
        "  b: failed instead of succeeded",
        "  c: failed instead of not evacuated",
        "  not kept: b was forgotten",
    ]
