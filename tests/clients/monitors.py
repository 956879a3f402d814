"""Stock masakari-monitors in a process of its own, as on a compute host; it does what its standard input says.

    python -m tests.clients.monitors --config-file masakarimonitors.conf

One JSON list a line: the name of a function below, then its arguments. Each is answered by a line "done".
"""

import json
import sys

from masakarimonitors.conf import CONF
from masakarimonitors.ha.masakari import SendNotification
from masakarimonitors.instancemonitor.libvirt_handler.callback import Callback
from masakarimonitors.processmonitor.process_handler.handle_process import HandleProcess
from oslo_utils import timeutils


def send(hostname: str, kind: str, payload: dict[str, str], retries: int | None = None) -> None:
    """Send a report with a notifier of its own, as host monitors do."""
    about = {"type": kind, "hostname": hostname, "generated_time": timeutils.utcnow(), "payload": payload}
    again = CONF.host.api_retry_max if retries is None else retries
    SendNotification().send_notification(again, CONF.host.api_retry_interval, {"notification": about})


def libvirt(hostname: str, instance: str, event: str, detail: str) -> None:
    """Have the instance monitor see an event of libvirt that it reports."""
    Callback().libvirt_event_callback(event, detail, instance, "VM", hostname, timeutils.utcnow())


def process(name: str) -> None:
    """Have the process monitor see a process that is down and cannot be restarted."""
    commands = {"pre_restart_command": None, "restart_command": "false", "post_restart_command": None}
    HandleProcess().restart_processes([{"process_name": name, "run_as_root": False} | commands])


def main() -> None:
    """Work until the input ends."""
    functions = {function.__name__: function for function in (send, libvirt, process)}
    CONF(sys.argv[1:], project="masakarimonitors")
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        functions[name](*arguments)
        print("done", flush=True)


if __name__ == "__main__":
    main()
