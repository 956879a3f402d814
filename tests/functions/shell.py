"""``instance-ha`` in this process: to start one takes longer than what most commands do."""

from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO

import pytest
import structlog
from instance_ha import command


@dataclass(frozen=True)
class Ended:
    """What a command has left."""

    code: int
    out: str
    err: str


def run(environ: Mapping[str, str], *words: str) -> Ended:
    """Run a command to its end."""
    before, out, err = structlog.get_config(), StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        command.main(words, environ)
    structlog.configure(**before)
    return Ended(int(ended.value.code or 0), out.getvalue(), err.getvalue())
