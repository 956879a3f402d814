"""What is pinned for a function: all that it imports, and nothing that nobody uses."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMES = sorted(file.parent.name for file in (ROOT / "functions").glob("*/requirements.txt"))
# Imported by no line of ours: drivers that SQLAlchemy finds by their names, what keystonemiddleware imports where
# memcached_servers is set, and a pin that keeps pip from trying old releases.
UNSEEN = {"psycopg", "pymysql", "python-memcached", "python-dateutil"}
UNKNOWN = {"consul": ["python-consul"], "libvirt": ["libvirt-python"]}  # whose metadata do not name their modules
# Of this environment: what libraries import where it is there, and do without where it is not.
FOREIGN = {"instance-ha", "instance-ha-simulator", "setuptools", "attrs", "greenlet", "pygments", "rich"}
_SERVE = """
import json, os, sys
from pathlib import Path
from instance_ha.serving import server
from instance_ha.serving.application import load
assert load(Path({folder!r}), os.environ).test_client().get("/_/health").status_code == 200
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""


def plain(name: str) -> str:
    """Write a distribution's name as indexes do."""
    return re.sub("[-_.]+", "-", re.split(r"[\[<>=!~ ;]", name)[0]).lower()


def pinned(function: str) -> set[str]:
    """Name what is pinned for a function."""
    lines = (ROOT / "functions" / function / "requirements.txt").read_text().splitlines()
    return {plain(line) for line in lines if "==" in line}


def asked_for() -> Iterator[str]:
    """Name what our package asks for itself, extras included."""
    project = tomllib.loads((ROOT / "lib/pyproject.toml").read_text())["project"]
    for requirements in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from map(plain, requirements)


def test_what_the_package_asks_for_is_imported_by_it() -> None:
    sources = "\n".join(file.read_text() for file in (ROOT / "lib/instance_ha").rglob("*.py"))
    modules = set(re.findall(r"^\s*(?:from|import) (\w+)", sources, re.MULTILINE))
    distributions = {**packages_distributions(), **UNKNOWN}
    used = {plain(name) for module in modules for name in distributions.get(module, [module])}
    main = (ROOT / "functions/sweep/main.py").read_text()
    used |= {"functions-framework"} if "import functions_framework" in main else set()
    assert set(asked_for()) - used - UNSEEN == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_function_starts_with_what_is_pinned_for_it(name: str) -> None:
    environ = {"DATABASE_URL": "postgresql://db/ha", "OS_CLOUD": "prod", "PYTHONPATH": str(ROOT / "lib")}
    environ |= {"INSTANCE_HA_TRIGGER_SINK": "http://sink", "INSTANCE_HA_TRIGGER_KEY": "a-key-of-twenty-signs"}
    environ |= {"INSTANCE_HA_CONSOLE_KEY": "another-key-of-24-signs"}
    code = _SERVE.format(folder=str(ROOT / "functions" / name))
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=True)
    loaded, distributions = set(json.loads(done.stdout)), packages_distributions()
    needed = {plain(one) for module in loaded for one in distributions.get(module, [])}
    assert needed - pinned(name) - FOREIGN == set()


def test_only_those_who_speak_to_aws_have_its_client() -> None:
    assert {name for name in NAMES if "boto3" in pinned(name)} == {"relay", "purge"}


def test_only_those_who_speak_to_the_cloud_have_its_client() -> None:
    assert {name for name in NAMES if "openstacksdk" not in pinned(name)} == {"relay", "sweep"}
