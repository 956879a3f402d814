"""OpenFaaS' watchdog, in front of an instance: it takes the calls from outside and hands them to us.

We start it, and not it us. So it is there when we can answer, and it cannot end us: it counts only calls whose sender
still waits, but our senders do not wait for the work that they ask for.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from instance_ha import log

_PAUSE = 0.5  # seconds, between two looks at it, and in which it passes our last answers on


class Watchdog:
    """The process of the watchdog, started by the one that holds our port."""

    def __init__(self, program: str, environ: Mapping[str, str]) -> None:
        self._program = program
        # It insists on a process of its own; this one waits for its input, which never comes, and ends with it.
        self._environ = {**environ, "fprocess": "cat"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, _server: Any) -> None:
        """Start it: we listen."""
        self._process = subprocess.Popen([self._program], env=self._environ)  # noqa: S603 - the image names it
        threading.Thread(target=self._watch, args=(self._process,), daemon=True, name="watchdog").start()

    def stop(self, _server: Any) -> None:
        """End it: our work is done."""
        if self._process is not None:
            time.sleep(_PAUSE)
            self._process.kill()

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        """End the instance in order when its watchdog has ended: nobody could call it."""
        while process.poll() is None:
            time.sleep(_PAUSE)
        log.get().error("watchdog ended", code=process.returncode)
        os.kill(os.getpid(), signal.SIGTERM)
