"""OpenFaaS' watchdog, in front of an instance: it takes the calls from outside and hands them to us.

We start it, and not it us. So it is there when we can answer, and it cannot end us: it counts only calls whose sender
still waits, but our senders do not wait for the work that they ask for. For the same reason its log is read here: it
calls each call whose sender has not waited a failure, and says that it was killed.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from instance_ha import log

_PAUSE = 0.5  # seconds in which it passes our last answers on
_TIME = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")
_ANSWERED = re.compile(r"[A-Z]+ /\S* - \d{3} ")
# The sender has hung up, or has not sent what it had announced. "Killed" is said of all of these; a call that has
# really lasted too long is told by "context deadline exceeded" in the line before.
_SENDER = re.compile(
    r"context canceled|killed due to exec_timeout|unexpected EOF|i/o timeout|Error copying response body"
)
_TROUBLE = re.compile(r"error|panic|fatal|fail|terminated", re.IGNORECASE)


class Watchdog:
    """The process of the watchdog, started by the one that holds our port."""

    def __init__(self, program: str, environ: Mapping[str, str]) -> None:
        self._program = program
        # It insists on a process of its own; this one waits for its input, which never comes, and ends with it.
        self._environ = {**environ, "fprocess": "cat"}
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def start(self, _server: Any) -> None:
        """Start it: we listen."""
        self._process = subprocess.Popen(  # noqa: S603 - the image names it
            [self._program],
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._watch, args=(self._process,), daemon=True, name="watchdog").start()

    def stop(self, _server: Any) -> None:
        """End it: our work is done."""
        self._stopped = True
        if self._process is not None:
            time.sleep(_PAUSE)
            self._process.kill()

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Hand its lines on; end the instance in order when it has ended, since nobody could call it."""
        for line in process.stdout or ():
            text = _TIME.sub("", line.rstrip(), count=1)
            getattr(log.get(), level(text))("watchdog wrote", line=text)
        code = process.wait()
        if not self._stopped:
            log.get().error("watchdog ended", code=code)
            os.kill(os.getpid(), signal.SIGTERM)


def level(line: str) -> str:
    """Return how much a line of the watchdog matters to an operator, as the name of a level."""
    if _ANSWERED.match(line) or _SENDER.search(line):
        return "debug"
    return "warning" if _TROUBLE.search(line) else "info"
