"""``pip install ./lib``, without extras: the commands of a shell need nothing else."""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.receivers import OK, receiver

LIB = Path(__file__).parents[3] / "lib"
# Whatever is not among the dependencies of the bare package cannot be imported, as if it were not installed.
RUN = """
import sys
forbidden = set(sys.argv.pop(1).split(","))
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from instance_ha.command import main
main(sys.argv[1:])
"""


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def needed(name: str, extras: frozenset[str] = frozenset(), seen: frozenset[str] = frozenset()) -> frozenset[str]:
    """Return a distribution and all that it needs."""
    seen |= {_name(name)}
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        environments = [{"extra": extra} for extra in (extras or {""})]
        wanted = requirement.marker is None or any(requirement.marker.evaluate(one) for one in environments)
        if wanted and _name(requirement.name) not in seen:
            seen = needed(requirement.name, frozenset(requirement.extras), seen)
    return seen


def forbidden() -> str:
    """Name the modules that a bare installation does not have."""
    there = needed("instance-ha")
    modules = {
        module for module, names in metadata.packages_distributions().items() if there.isdisjoint(map(_name, names))
    }
    assert {"requests", "keystoneauth1", "boto3", "kubernetes"} <= modules
    return ",".join(sorted(modules - {"instance_ha"}))


def run(environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as on a bare installation."""
    command = [sys.executable, "-c", RUN, forbidden(), *words]
    return subprocess.run(command, env={"PYTHONPATH": str(LIB), **environ}, capture_output=True, text=True)


def test_a_tick_is_sent_with_the_token_of_the_secret(tmp_path: Path) -> None:
    (tmp_path / "cron-token").write_text("the-token\n")
    with receiver(lambda connection: connection.sendall(OK)) as url:
        done = run({"INSTANCE_HA_SECRETS_DIR": str(tmp_path)}, "tick", url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("words", ["db version", "status", "events resend", "db purge --dry-run"])
def test_the_commands_about_the_database_work(database_url: str, words: str) -> None:
    done = run({"DATABASE_URL": database_url}, *words.split())
    assert (done.returncode, done.stderr) == (0, "")


def test_what_needs_more_says_in_one_line_what(database_url: str) -> None:
    environ = {"INSTANCE_HA_TRIGGER_SINK": "http://127.0.0.1:1", "INSTANCE_HA_TRIGGER_KEY": "a-key-for-triggers"}
    environ["INSTANCE_HA_CONSOLE_KEY"] = "a-key-for-sessions"
    done = run({"DATABASE_URL": database_url, "OS_AUTH_URL": "http://127.0.0.1:1", **environ}, "check-config")
    assert done.returncode == 1
    assert "instance-ha: cloud: keystoneauth1 is not installed here" in done.stderr
    assert "Traceback" not in done.stderr
