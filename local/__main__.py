"""``python -m local up|down|status``: the product on this machine."""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import make_state_dir

from local.files import default_state_dir, repository
from local.proxies import restart_without_proxies
from local.troubles import TROUBLES

_START_LIMIT = 90.0
_STOP_LIMIT = 30.0
_LAST_PORT = 65535


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT") or "15868", help="0: a free one")
    parser.add_argument("--isolate", action="store_true", help="each function in a process of its own")
    parser.add_argument("--foreground", action="store_true", help="stay; Ctrl-C stops")
    state = default_state_dir(os.environ, os.geteuid())
    parser.add_argument("--state", type=Path, default=state, help="folder for data, secrets and log")
    options = parser.parse_args()
    options.state = options.state.absolute()
    try:
        sys.exit({"up": up, "down": down, "status": status}[options.command](options))
    except TROUBLES as error:
        sys.exit(f"cannot {options.command}: {error}")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {_LAST_PORT}")
    return int(text)


def up(options: argparse.Namespace) -> int:
    """Start, in the background unless told otherwise."""
    if _running(options.state):
        print(f"already running: {_address(options.state)}")
        return 0
    return foreground(options) if options.foreground else _background(options)


def foreground(options: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C."""
    from instance_ha import log

    from local.hosting import InProcess, Isolated
    from local.runtime import Options, Runtime

    restart_without_proxies()
    log.configure("INFO")
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    make_state_dir(options.state)
    hosting = Isolated if options.isolate else InProcess
    with _lock(options.state), Runtime(Options(options.state, options.port, hosting)) as runtime:
        if runtime.cloud is not None:
            for number in range(1, 5):
                runtime.cloud.add_host(f"compute{number}")
        _write_pid(options.state, runtime.url)
        if sys.stdout.isatty():
            print(_help(runtime.url, options.state))
        while True:
            time.sleep(3600)
    return 0


def _end(*_: object) -> None:
    """End in order; a second signal does not disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(0)


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Be the only runtime of this folder, and leave no pid file behind."""
    with (state / "runtime.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"cannot up: another process is just starting or stopping in {state}")
        try:
            yield
        finally:
            (state / "runtime.pid").unlink(missing_ok=True)


def _background(options: argparse.Namespace) -> int:
    make_state_dir(options.state)
    command = [sys.executable, "-m", "local", "up", "--foreground", "--port", str(options.port)]
    command += ["--state", str(options.state)] + (["--isolate"] if options.isolate else [])
    log = options.state / "runtime.log"
    with log.open("ab") as output:
        begin = output.tell()
        child = subprocess.Popen(
            command, cwd=repository(), stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True
        )
    until = time.monotonic() + _START_LIMIT
    while time.monotonic() < until:
        if _running(options.state):
            print(_help(_address(options.state), options.state))
            return 0
        if child.poll() is not None:
            break
        time.sleep(0.1)
    else:
        child.terminate()
    with log.open() as said:
        said.seek(begin)
        lines = said.read().strip().splitlines()
    print("\n".join(lines[-1:]) or "it did not start", file=sys.stderr)
    print(f"(more in {log})", file=sys.stderr)
    return 1


def down(options: argparse.Namespace) -> int:
    """Stop what `up` has started."""
    if not _running(options.state):
        postgres = EmbeddedPostgres(options.state)
        print("it was not running, only its Postgres was: stopped" if postgres.running else "not running")
        postgres.stop()
        return 0
    pid = _pid(options.state)
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + _STOP_LIMIT
    while _running(options.state):
        if time.monotonic() > until:
            print(f"process {pid} does not stop", file=sys.stderr)
            return 1
        time.sleep(0.1)
    print("stopped")
    return 0


def status(options: argparse.Namespace) -> int:
    """Say whether it runs."""
    running = _running(options.state)
    print(f"running: {_address(options.state)}" if running else "not running")
    return 0 if running else 3


def _write_pid(state: Path, url: str) -> None:
    file = state / "runtime.pid"
    partly = file.with_suffix(".new")
    partly.write_text(f"{os.getpid()} {_born(os.getpid())} {url}\n")
    partly.replace(file)


def _read_pid(state: Path) -> tuple[int, str, str]:
    try:
        pid, born, url = (state / "runtime.pid").read_text().split()
        return int(pid), born, url
    except (OSError, ValueError):
        return 0, "", ""


def _pid(state: Path) -> int:
    return _read_pid(state)[0]


def _address(state: Path) -> str:
    return _read_pid(state)[2]


def _running(state: Path) -> bool:
    """Whether our process runs: the same pid and the same time of birth, so never a stranger with a used pid."""
    pid, born, _ = _read_pid(state)
    return bool(pid) and _born(pid) == born


def _born(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""


def _help(url: str, state: Path) -> str:
    lines = [f"Masakari Functions answers at {url}", f"log: {state / 'runtime.log'}"]
    if os.environ.get("INSTANCE_HA_AUTH_STRATEGY") == "noauth2":
        lines += ["Everybody is an administrator (noauth2), on a simulated cloud: try", f"  curl {url}/v1/segments"]
        lines += [f"Its console takes any login: {url}/console/"]
    elif not (os.environ.get("OS_CLOUD") or os.environ.get("OS_AUTH_URL")):
        lines += [
            "It works on a simulated cloud with the hosts compute1 to compute4. To talk to it:",
            f"  export OS_CLIENT_CONFIG_FILE={state / 'clouds.yaml'} OS_CLOUD=admin",
            f"  {Path(sys.executable).with_name('openstack')} segment list",
            f"Its console: {url}/console/",
            f"  user admin, project admin, password {_password(state)}",
        ]
    else:
        lines += [f"The console: {url}/console/"]
    return "\n".join(lines)


def _password(state: Path) -> str:
    """Read the password of the simulated cloud's administrator."""
    return str(json.loads((state / "clouds.yaml").read_text())["clouds"]["admin"]["auth"]["password"])


if __name__ == "__main__":
    main()
