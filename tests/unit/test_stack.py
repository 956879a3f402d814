"""stack.yml gives each function what it asks for at its start, and no more."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from instance_ha.models.errors import Misconfigured
from instance_ha.serving.application import load

ROOT = Path(__file__).parents[2]
FUNCTIONS: dict[str, Any] = yaml.safe_load((ROOT / "stack.yml").read_text())["functions"]
VALUES = {"database-url": "postgresql://u:s3cret@127.0.0.1:1/d", "trigger-key": "k" * 32, "console-key": "c" * 32}


def start(name: str, secrets: list[str], folder: Path) -> None:
    """Load a function with these secrets mounted."""
    for secret in set(secrets) & set(VALUES):
        (folder / secret).write_text(VALUES[secret])
    environ = {"INSTANCE_HA_SECRETS_DIR": str(folder), "INSTANCE_HA_TRIGGER_SINK": "http://broker.test"}
    if "clouds-yaml" in secrets:
        environ["OS_CLOUD"] = "any"
    load(ROOT / "functions" / name, environ)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_with_the_secrets_that_stack_yml_gives_it(name: str, tmp_path: Path) -> None:
    start(name, FUNCTIONS[name]["secrets"], tmp_path)


@pytest.mark.parametrize(
    ("name", "secret"), [(name, secret) for name, entry in FUNCTIONS.items() for secret in entry["secrets"]]
)
def test_a_function_does_not_start_without_one_of_its_secrets(name: str, secret: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        start(name, [other for other in FUNCTIONS[name]["secrets"] if other != secret], tmp_path)

    assert str(refused.value).startswith(f"{name}: ")
    assert "\n" not in str(refused.value)
