"""Runs tests for one mutant after the other: a process that has imported what others wrote, and forks for each run.

Our own packages are imported in the forked process only, from where it is started: each run sees the code of then.
"""

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
from importlib.metadata import entry_points

THEIRS = """
    alembic.command alembic.config cloudevents.conversion cloudevents.http flask functions_framework hypothesis
    keystoneauth1.adapter keystoneauth1.exceptions keystoneauth1.identity.v3 keystoneauth1.session oslo_config.cfg
    oslo_policy.policy psycopg psycopg_binary pydantic pytest requests sqlalchemy
    sqlalchemy.dialects.postgresql.psycopg structlog webob yaml
"""
OURS = frozenset({"instance_ha", "instance_ha_simulator", "local", "stack", "deploy", "tests"})


def main() -> None:
    """Run what each line of the input asks for, {tests, seconds}; answer {code, output}: no code at the limit."""
    for name in THEIRS.split():
        with contextlib.suppress(ImportError):  # it only costs time then
            importlib.import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    assert OURS.isdisjoint(name.partition(".")[0] for name in sys.modules), "ours would be as they were before"
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run(asked["tests"], asked["seconds"])), flush=True)


def _run(tests: list[str], seconds: int) -> dict[str, object]:
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            signal.alarm(seconds)  # nobody handles it: the process ends
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            import pytest

            os._exit(int(pytest.main(["-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests])))
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return {"code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None, "output": output.read()}


if __name__ == "__main__":
    main()
