"""faas-cli itself reads stack.yml as we do. It is in no package index: where it is missing, this is skipped aloud."""

import shutil
import subprocess

import pytest
import yaml

import stack
from local.files import repository


@pytest.fixture
def program() -> str:
    found = shutil.which("faas-cli")
    if found is None:
        pytest.skip("of faas-cli (it is not installed)")
    return found


def test_faas_cli_reads_the_functions_that_we_read(program: str) -> None:
    command = [program, "generate", "--api", "openfaas.com/v1", "-f", "stack.yml"]
    done = subprocess.run(command, cwd=repository(), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    specs = {spec["spec"]["name"]: spec["spec"] for spec in yaml.safe_load_all(done.stdout) if spec}
    functions = {function.name: function for function in stack.read(repository() / "stack.yml")}
    assert set(specs) == set(functions)
    for name, function in functions.items():
        assert list(specs[name]["secrets"]) == list(function.secrets)
        assert specs[name]["limits"] == function.limits
        assert specs[name]["readOnlyRootFilesystem"] is True
        assert "{function}" in specs[name]["environment"]["INSTANCE_HA_TRIGGER_SINK"]  # of environment_file
