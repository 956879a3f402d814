"""``make demo``, as a newcomer runs it."""

import os
import signal
import subprocess
import sys

import psutil

from local.files import repository

COMMAND = [sys.executable, "-m", "local.demo"]


def started(**variables: str) -> subprocess.Popen[str]:
    """Start it."""
    environ = os.environ | variables
    pipe = subprocess.PIPE
    return subprocess.Popen(COMMAND, cwd=repository(), env=environ, stdout=pipe, stderr=pipe, text=True)


def test_it_ends_well_behind_a_proxy_that_does_not_work_and_prints_no_log() -> None:
    process = started(http_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9", no_proxy="", NO_PROXY="")
    output, errors = process.communicate(timeout=120)

    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[0].startswith("Starting Postgres")
    assert output.splitlines()[1].startswith("They answer at ")
    assert "instances recovered in" in output.splitlines()[-1]


def test_ctrl_c_while_it_is_imported_ends_it_in_one_line() -> None:
    process = started(PYTHONVERBOSE="1")  # says what is imported
    assert process.stderr is not None
    while "import 'sqlalchemy'" not in (line := process.stderr.readline()):
        assert line, "it has ended"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "stopped" in errors
    assert "Traceback" not in errors


def test_ctrl_c_ends_it_in_one_line_and_leaves_nothing_running() -> None:
    process = started()
    assert process.stdout is not None
    while not process.stdout.readline().startswith("They answer"):
        assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert errors.strip() == "stopped"
    assert psutil.wait_procs(children, timeout=5)[1] == []
