"""``make demo``, as a newcomer runs it."""

import os
import re
import signal
import subprocess
import sys

import psutil
import requests

from local.files import repository

COMMAND = [sys.executable, "-m", "local.demo"]


def started(**variables: str) -> subprocess.Popen[str]:
    """Start it."""
    environ = os.environ | variables
    pipe = subprocess.PIPE
    return subprocess.Popen(COMMAND, cwd=repository(), env=environ, stdout=pipe, stderr=pipe, text=True)


def test_it_recovers_everything_and_says_so_behind_a_proxy_that_does_not_work_and_prints_no_log() -> None:
    process = started(http_proxy="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9", no_proxy="", NO_PROXY="")
    output, errors = process.communicate(timeout=120)

    assert (process.returncode, errors) == (0, "")
    assert output.splitlines()[0].startswith("Starting Postgres")
    assert output.splitlines()[1].startswith("They answer at ")
    assert output.splitlines()[-1].startswith("demo: 10/10 instances recovered in ")


def test_the_console_shows_it_until_ctrl_c() -> None:
    process = started(CONSOLE="1")
    assert process.stdout is not None
    said = ""
    while "until you press Ctrl-C" not in said:
        said += process.stdout.readline()
        assert process.poll() is None, said
    console = re.search(r"The console is at (\S+)", said)
    login = re.search(r"Log in as user (\S+), password (\S+), project (\S+)\.", said)
    shown = re.search(r"shows it at (\S+) until", said)
    assert console is not None
    assert login is not None
    assert shown is not None
    browser = requests.Session()
    browser.trust_env = False
    key = re.search(r'name="form_key" value="([^"]+)"', browser.get(console[1], timeout=30).text)
    assert key is not None
    fields = {"form_key": key[1], "user_domain": "Default", "project_domain": "Default"}
    fields |= dict(zip(("user", "password", "project"), login.groups(), strict=True))
    browser.post(f"{console[1]}login", fields, timeout=30)
    assert "10 restored" in browser.get(shown[1], timeout=30).text

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.strip() == "stopped"


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
