"""What comes with our packages: author, licence, links."""

import shutil
import subprocess
import sys
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from local.files import repository

PACKAGES = {"lib": "instance_ha", "simulator": "instance_ha_simulator"}


def metadata(folder: Path, target: Path) -> Message:
    """Return what the wheel of a package will say of itself."""
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
    program = "from setuptools import build_meta; print(build_meta.prepare_metadata_for_build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", program], cwd=target, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return message_from_string((target / done.stdout.split()[-1] / "METADATA").read_text())


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_wheel_says_who_made_it_and_under_which_licence(folder: str, tmp_path: Path) -> None:
    shown = metadata(repository() / folder, tmp_path / folder)

    assert shown["Author"] == "The Masakari Functions maintainers"
    assert shown["License-Expression"] == "Apache-2.0"
    assert shown["License-File"] == "LICENSE"
    assert str(shown.get_payload()).startswith("# instance-ha")


def test_the_wheel_of_the_functions_links_to_the_api_that_it_serves(tmp_path: Path) -> None:
    links = metadata(repository() / "lib", tmp_path / "lib").get_all("Project-URL")

    assert links is not None
    assert "API, https://docs.openstack.org/api-ref/instance-ha/" in links


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_comes_with_the_licence_of_the_repository(folder: str) -> None:
    assert (repository() / folder / "LICENSE").read_text() == (repository() / "LICENSE").read_text()
