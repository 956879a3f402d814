"""What is pinned for a function: all that it imports, and nothing that nobody uses."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from tests.unit.serving.loaded import ROOT, loaded

NAMES = sorted(file.parent.name for file in (ROOT / "functions").glob("*/requirements.txt"))
# Imported by no line of ours: drivers that SQLAlchemy finds by their names, what keystonemiddleware imports where
# memcached_servers is set, and a pin that keeps pip from trying old releases.
UNSEEN = {"psycopg", "pymysql", "python-memcached", "python-dateutil"}
UNKNOWN = {"consul": ["python-consul"], "libvirt": ["libvirt-python"]}  # whose metadata do not name their modules
# Of this environment: what libraries import where it is there, and do without where it is not.
FOREIGN = {"instance-ha", "instance-ha-simulator", "setuptools", "attrs", "greenlet", "pygments", "rich"}


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
    distributions = packages_distributions()
    needed = {plain(one) for module in loaded(name) for one in distributions.get(module, [])}
    assert needed - pinned(name) - FOREIGN == set()


def test_only_those_who_speak_to_aws_have_its_client() -> None:
    assert {name for name in NAMES if "boto3" in pinned(name)} == {"relay", "purge"}


def test_only_those_who_speak_to_the_cloud_have_its_client() -> None:
    assert {name for name in NAMES if "openstacksdk" not in pinned(name)} == {"relay", "sweep"}
