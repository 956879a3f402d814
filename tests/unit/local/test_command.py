import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir

from local.files import repository

NOTHING_SAID = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("OS_", "INSTANCE_HA_")) and name not in ("DATABASE_URL", "INSTANCE_HA_TRIGGER_SINK", "PORT")
}


@pytest.fixture
def state() -> Iterator[Path]:
    """A folder; whatever runs in it at the end is stopped."""
    with temporary_state_dir() as folder:
        yield folder
        local("down", folder)


def local(command: str, state: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "local", command, "--state", str(state), *more]
    return subprocess.run(
        words, cwd=repository(), env=NOTHING_SAID | environment, capture_output=True, text=True, timeout=60
    )


def pid_of(state: Path) -> int:
    return int((state / "runtime.pid").read_text().split()[0])


def test_it_goes_up_says_how_to_use_it_and_goes_down(state: Path) -> None:
    up = local("up", state, "--port", "0")
    url = up.stdout.split()[4]
    with urllib.request.urlopen(f"{url}/v1") as answer:
        code = answer.status
    status, again, process = local("status", state), local("up", state), psutil.Process(pid_of(state))
    memory = process.memory_info().rss
    down, after, twice = local("down", state), local("status", state), local("down", state)

    assert (up.returncode, up.stderr, code) == (0, "", 200)
    assert f"OS_CLIENT_CONFIG_FILE={state / 'clouds.yaml'} OS_CLOUD=admin" in up.stdout
    assert str(state / "runtime.log") in up.stdout
    assert any(Path(line.split()[0]).is_file() for line in up.stdout.splitlines() if line.endswith(" segment list"))
    assert (status.returncode, status.stdout) == (0, f"running: {url}\n")
    assert (again.returncode, again.stdout) == (0, f"already running: {url}\n")
    assert memory < 250 << 20
    assert (down.returncode, down.stdout) == (0, "stopped\n")
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not EmbeddedPostgres(state).running
    assert (after.returncode, after.stdout) == (3, "not running\n")
    assert (twice.returncode, twice.stdout) == (0, "not running\n")


def test_a_demo_without_a_postgres_says_why_in_place_of_a_traceback() -> None:
    def write_nothing() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    words = [sys.executable, "-m", "local.demo"]
    demo = subprocess.run(
        words, cwd=repository(), env=NOTHING_SAID, capture_output=True, text=True, timeout=60, preexec_fn=write_nothing
    )
    assert demo.returncode == 1
    assert demo.stderr.startswith("cannot run the demo: ")
    assert "Traceback" not in demo.stderr


def test_after_a_kill_it_goes_down_and_up_again(state: Path) -> None:
    local("up", state, "--port", "0")
    process = psutil.Process(pid_of(state))
    process.kill()
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    status = local("status", state)
    postgres_was_running = EmbeddedPostgres(state).running
    down = local("down", state)
    postgres_is_running = EmbeddedPostgres(state).running
    up = local("up", state, "--port", "0")

    assert status.returncode == 3
    assert (postgres_was_running, postgres_is_running) == (True, False)
    assert (down.returncode, down.stdout) == (0, "it was not running, only its Postgres was: stopped\n")
    assert up.returncode == 0


def test_a_process_that_has_got_the_pid_later_is_not_signalled(state: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (state / "runtime.pid").write_text(f"{stranger.pid} 12345.6 http://127.0.0.1:1\n")

        status, down = local("status", state), local("down", state)

        assert status.returncode == 3
        assert down.stdout == "not running\n"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_is_told_in_one_line(state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        front = local("up", state, "--foreground", "--port", str(port))
        back = local("up", state, PORT=str(port))

    assert front.returncode == back.returncode == 1
    assert front.stderr.splitlines()[-1].startswith("cannot up: ")
    assert f"port {port} cannot be used: Address already in use" in front.stderr
    assert back.stderr.splitlines() == [front.stderr.splitlines()[-1], f"(more in {state / 'runtime.log'})"]


@pytest.mark.parametrize("port", ["web", "99999", "-1", "65536"])
def test_what_is_no_port_is_told_without_a_traceback(state: Path, port: str) -> None:
    done = local("up", state, PORT=port)

    assert done.returncode == 2
    assert f"'{port}' is no port: 0 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("isolate", [[], ["--isolate"]], ids=["one-process", "isolated"])
def test_ctrl_c_in_the_foreground_stops_everything_cleanly(state: Path, isolate: list[str]) -> None:
    words = [sys.executable, "-m", "local", "up", "--foreground", "--port", "0", "--state", str(state), *isolate]
    process = subprocess.Popen(
        words, cwd=repository(), env=NOTHING_SAID, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 90  # as long as `up` itself waits
    while not (state / "runtime.pid").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert (process.returncode, errors) == (0, "")
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert not EmbeddedPostgres(state).running
    assert not (state / "runtime.pid").exists()
