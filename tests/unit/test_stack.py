"""stack.yml gives each function what it asks for at its start, and no more."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FUNCTIONS: dict[str, Any] = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"]
VALUES = {"database-url": "postgresql://u:p@127.0.0.1:1/d", "trigger-key": "key"}


def start(name: str, secrets: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Load a function's main.py with these secrets mounted."""
    for secret in set(secrets) & set(VALUES):
        (folder / secret).write_text(VALUES[secret])
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OS_", "INSTANCE_HA_"))}
    environment |= {"INSTANCE_HA_SECRETS_DIR": str(folder), "INSTANCE_HA_TRIGGER_SINK": "http://broker.test"}
    if "clouds-yaml" in secrets:
        environment["OS_CLOUD"] = "any"
    command = [sys.executable, str(ROOT / "functions" / name / "main.py")]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_with_the_secrets_that_stack_yml_gives_it(name: str, tmp_path: Path) -> None:
    started = start(name, FUNCTIONS[name]["secrets"], tmp_path)

    assert (started.returncode, started.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "secret"), [(name, secret) for name, entry in FUNCTIONS.items() for secret in entry["secrets"]]
)
def test_a_function_does_not_start_without_one_of_its_secrets(name: str, secret: str, tmp_path: Path) -> None:
    started = start(name, [other for other in FUNCTIONS[name]["secrets"] if other != secret], tmp_path)

    assert started.returncode == 1
    assert started.stderr.startswith(f"{name}: ")
    assert len(started.stderr.splitlines()) == 1
