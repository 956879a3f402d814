"""The story of the demo, as it happens."""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from instance_ha import log
from instance_ha_simulator.files import temporary_state_dir
from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.clients import connect
from local.proxies import restart_without_proxies
from local.runtime import Options, Runtime, without_cloud

HOSTS = ("compute1", "compute2", "compute3", "compute4")
INSTANCES = 40
DEAD = "compute1"
_LIMIT = 120.0
_FINAL = frozenset({"finished", "failed", "ignored", "error"})
# A cloud that notices a dead compute service after 6 s; Nova's own default is 60 s.
_CLOUD = {"report_interval": 2.0, "service_down_time": 6.0, "evacuate_seconds": 1.5, "latency": 0.02}


def play() -> int:
    """Play it; 0 only if every instance of the dead host is ACTIVE elsewhere."""
    restart_without_proxies()
    console = Console(highlight=False, soft_wrap=True)
    log.configure("ERROR")
    console.print("Starting Postgres, a simulated OpenStack and the functions …")
    with temporary_state_dir() as folder:
        environ = without_cloud(os.environ)  # the demo never touches a real cloud
        quiet = {"log_level": "ERROR"}
        options = Options(folder, port=0, durable=False, sim=_CLOUD, settings=quiet, environ=environ)
        with Runtime(options) as runtime:
            console.print(f"They answer at {runtime.url}")
            try:
                return _Demo(console, runtime).run(shown=bool(os.environ.get("CONSOLE")))
            finally:
                log.configure("CRITICAL")  # what still runs loses its Postgres now


class _Demo:
    def __init__(self, console: Console, runtime: Runtime) -> None:
        self._console = console
        self._cloud = runtime.cloud
        self._url = runtime.url
        self._ha: Any = connect(runtime.clouds_yaml, "admin").instance_ha

    def run(self, *, shown: bool) -> int:
        """Tell the story; with ``shown`` the console shows it too, and goes on to do so until Ctrl-C."""
        doomed = self._prepare()
        if shown:
            self._show()
        self._console.print(f"{DEAD} dies with {len(doomed)} instances on it.")
        self._cloud.kill_host(DEAD)
        begun = time.monotonic()
        uuid = self._report()
        status = self._watch(uuid, begun)
        seconds = time.monotonic() - begun
        self._print_vmoves(uuid)
        saved = [s for s in self._cloud.servers() if s.id in doomed and s.host != DEAD and s.status == "ACTIVE"]
        self._console.print(f"notification {uuid}: {status}")
        if not shown:
            self._console.print("More: make demo CONSOLE=1 shows it in a browser; make up stays; docs/tour.md goes on.")
        self._console.print(f"demo: {len(saved)}/{len(doomed)} instances recovered in {seconds:.1f} s")
        if shown:
            self._console.print(
                f"The console shows it at {self._url}/console/recoveries/{uuid} until you press Ctrl-C."
            )
            threading.Event().wait()
        return 0 if status == "finished" and len(saved) == len(doomed) else 1

    def _prepare(self) -> set[str]:
        """Register hosts, and boot instances, every third with HA_Enabled; returns those on the host that will die."""
        for host in HOSTS:
            self._cloud.add_host(host)
        segment = self._ha.create_segment(name="demo", recovery_method="auto", service_type="COMPUTE")
        for host in HOSTS:
            self._ha.create_host(segment.uuid, name=host, type="COMPUTE", control_attributes="SSH")
        for number in range(INSTANCES):
            metadata = {"HA_Enabled": "True"} if number % 3 == 0 else {}
            self._cloud.boot(HOSTS[number % len(HOSTS)], [f"vm-{number:02}"], metadata=metadata)
        self._console.print(f"Segment demo with {', '.join(HOSTS)}; {INSTANCES} instances run on them.")
        return {server.id for server in self._cloud.servers() if server.host == DEAD}

    def _show(self) -> None:
        """Say how to see the console, and wait where somebody can say that they do."""
        admin = self._cloud.identity.users["admin"]
        self._console.print(f"The console is at {self._url}/console/")
        self._console.print(f"Log in as user {admin.name}, password {admin.password}, project {admin.project.name}.")
        if sys.stdin.isatty():
            self._console.input(f"Press Enter, and {DEAD} dies. ")

    def _report(self) -> str:
        """Post what a monitor would."""
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        report = self._ha.create_notification(type="COMPUTE_HOST", hostname=DEAD, generated_time=now, payload=payload)
        return str(report.notification_uuid)

    def _states(self, uuid: str) -> Iterator[tuple[str, list[Any]]]:
        """Read the notification and its vmoves until it is over."""
        until = time.monotonic() + _LIMIT
        while time.monotonic() < until:
            status = str(self._ha.get_notification(uuid).status)
            yield status, sorted(self._ha.vmoves(uuid), key=lambda move: move.id)
            if status in _FINAL:
                return
            time.sleep(0.2)

    def _watch(self, uuid: str, begun: float) -> str:
        status, last = "", ""
        if self._console.is_terminal:
            with Live(console=self._console, transient=True) as live:
                for status, moves in self._states(uuid):
                    live.update(_table(moves, f"{status}, {time.monotonic() - begun:.1f} s"))
            return status
        for status, moves in self._states(uuid):
            counts = Counter(str(move.status) for move in moves)
            line = f"{status}: " + (", ".join(f"{n} {word}" for word, n in counts.items()) or "no vmoves yet")
            if line != last:
                self._console.print(f"{time.monotonic() - begun:6.1f} s  {line}")
            last = line
        return status

    def _print_vmoves(self, uuid: str) -> None:
        self._console.print(_table(sorted(self._ha.vmoves(uuid), key=lambda move: move.id), "vmoves"))


def _table(moves: list[Any], title: str) -> Table:
    table = Table("instance", "from", "to", "status", "start", "end", title=title, title_justify="left")
    for move in moves:
        times = (_clock(move.start_time), _clock(move.end_time))
        table.add_row(move.server_name, move.source_host, move.dest_host or "", move.status, *times)
    return table


def _clock(text: str | None) -> str:
    return text[11:22] if text else ""
