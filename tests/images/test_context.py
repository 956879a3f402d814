"""What goes into an image, as far as it shows without building one."""

import re
from pathlib import Path

import pytest
import yaml
from instance_ha.durations import seconds
from instance_ha.settings import Settings

from local.files import repository
from tests.images import context

TEMPLATE = repository() / "template/python-functions-framework"
DOCKERFILE = (TEMPLATE / "Dockerfile").read_text()
FUNCTIONS = yaml.safe_load((repository() / "stack.yml").read_text())["functions"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_context_holds_the_template_the_function_and_our_package(name: str, tmp_path: Path) -> None:
    arguments = context.make(repository() / "stack.yml", name, tmp_path / "context")

    at_top = {path.name for path in (tmp_path / "context").iterdir()}
    assert at_top == {"Dockerfile", "root.py", "template.yml", "function"}
    function = tmp_path / "context/function"
    assert (function / "main.py").read_text() == (repository() / "functions" / name / "main.py").read_text()
    assert "--hash=sha256:" in (function / "requirements.txt").read_text()
    assert (function / "lib/pyproject.toml").exists()
    assert (function / "lib/instance_ha/serving/server.py").exists()
    assert ("ADDITIONAL_PACKAGE" in arguments) == (name == "monitor-guests")


def test_images_are_built_upon_what_arguments_name() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert bases == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}", "scratch", "${WATCHDOG_IMAGE}", "knative"]
    assert set(re.findall(r"\$\{(\w+_IMAGE)\}", DOCKERFILE)) == set(re.findall(r"^ARG (\w+_IMAGE)=", DOCKERFILE, re.M))


def test_no_package_index_is_named() -> None:
    assert re.findall(r"https?://(?!127\.0\.0\.1)\S+", DOCKERFILE) == []


def test_the_function_is_the_first_process_on_knative_and_openfaas_alike() -> None:
    process = yaml.safe_load((TEMPLATE / "template.yml").read_text())["fprocess"]

    assert re.findall("^CMD (.*)$", DOCKERFILE, re.MULTILINE) == [f"{process.split()}".replace("'", '"')]
    assert "WATCHDOG=fwatchdog" in DOCKERFILE


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_invocation_may_last_longer_than_its_work(name: str) -> None:
    assert seconds(FUNCTIONS[name]["environment"]["exec_timeout"]) > Settings.model_fields["invocation_time"].default
