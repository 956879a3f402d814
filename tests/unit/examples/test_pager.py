"""The example of a task with its own tests: they pass where the package is installed (docs/simulator.md)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from instance_ha_simulator.files import free_port

from local.files import repository

EXAMPLE = repository() / "examples/pager"


def test_the_tests_of_the_example_pass(tmp_path: Path) -> None:
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = tmp_path / "pager-1.0.dist-info"  # what pip writes
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pager\nVersion: 1.0\n")
    points = "".join(f"{name} = {where}\n" for name, where in project["entry-points"]["instance_ha.tasks"].items())
    (info / "entry_points.txt").write_text(f"[instance_ha.tasks]\n{points}")
    places = os.pathsep.join(map(str, [EXAMPLE, tmp_path]))
    environ = os.environ | {"PYTHONPATH": places, "PAGER_URL": f"http://127.0.0.1:{free_port()}/"}
    environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # it needs none
    words = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", EXAMPLE, EXAMPLE / "tests"]
    command = [sys.executable, "-m", "pytest", *map(str, words)]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout
