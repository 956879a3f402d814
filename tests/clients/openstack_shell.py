"""``openstack`` in a process that runs many commands one after the other: most of a command's time is its import."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout


class OpenStackShell:
    """The process, with an environment of its own."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        line = [sys.executable, __file__]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(line, env=dict(environ), stdin=pipe, stdout=pipe, text=True)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        code, stdout, stderr = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(words, code, stdout, stderr)

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def _serve() -> None:
    from openstackclient import shell
    from osc_lib.clientmanager import ClientCache, ClientManager

    answers = sys.stdout
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = int(shell.main(json.loads(line)))
            except SystemExit as ended:
                code = int(ended.code or 0)
        logging.getLogger().handlers.clear()  # each command adds its own
        for cache in vars(ClientManager).values():
            if isinstance(cache, ClientCache):
                cache._handle = None  # or the next command has this one's options
        answers.write(json.dumps([code, out.getvalue(), err.getvalue()]) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
