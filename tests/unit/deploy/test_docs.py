"""What the pages tell one to type is understood by the program that it is for."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.render.__main__ import render
from deploy.render.site import read
from local.files import repository

_BLOCK = re.compile(r"^```\n(.*?)^```", re.S | re.M)
# A cluster that nobody answers for: whatever gets as far as asking it was understood.
_KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "c",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "any"}}],
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
}


def commands(program: str) -> list[str]:
    """Return the lines of the pages that call a program."""
    pages = sorted((repository() / "docs").glob("*.md"))
    lines = [line for page in pages for block in _BLOCK.findall(page.read_text()) for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split(" #")[0].split("&&")]
    return sorted({part for part in parts if part.startswith(f"{program} ")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages have made by then."""
    made = tmp_path_factory.mktemp("site")
    for path, text in render(read(repository(), {})).items():
        (made / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (made / "site" / path).write_text(text)
    for name in ("database-url", "clouds-yaml", "trigger-key", "console-key"):
        (made / name).write_text("any")
    (made / "kubeconfig").write_text(yaml.safe_dump(_KUBECONFIG))
    return made


@pytest.mark.parametrize("command", commands("kubectl"))
def test_kubectl_understands_the_line(command: str, folder: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("of kubectl (it is not installed)")
    environment = os.environ | {"KUBECONFIG": str(folder / "kubeconfig")}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)

    assert done.returncode == 0 or "refused" in done.stderr, done.stderr


def test_what_kubectl_would_refuse_is_found(folder: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("of kubectl (it is not installed)")
    with pytest.raises(AssertionError, match="no need to specify a resource type"):
        test_kubectl_understands_the_line("kubectl wait --for=condition=Ready broker/instance-ha ksvc --all", folder)
