"""Each rule of the linter refuses a stack that breaks it, in a line that says what and where."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from deploy.render.lint import check, complaints
from deploy.render.site import read_settings
from local.files import repository
from stack import StackError, load

Break = Callable[[dict[str, Any], dict[str, str]], Any]


def broken(change: Break) -> list[str]:
    """Return the complaints about the repository's files after a change."""
    document, settings = deepcopy(load(repository() / "stack.yml")), read_settings(repository() / "deploy/settings.yml")
    for entry in document["functions"].values():  # without the anchors that they share
        entry.update(deepcopy(entry))
    change(document["functions"], settings)
    return list(check(document, settings))


def test_the_repositorys_own_files_are_right() -> None:
    assert complaints(repository()) == []


def annotate(key: str, value: Any, name: str = "sweep") -> Break:
    return lambda functions, _: functions[name]["annotations"].__setitem__(key, value)


def put(part: str, key: str, value: Any, name: str = "sweep") -> Break:
    def change(functions: Any, _: Any) -> None:
        functions[name][part] = {**functions[name][part], key: value}

    return change


def entry(key: str, value: Any) -> Break:
    return lambda functions, _: functions["sweep"].__setitem__(key, value)


def above(key: str, value: Any) -> dict[str, Any]:
    """Return the repository's stack.yml with another value above the functions."""
    return load(repository() / "stack.yml") | {key: value}


def setting(key: str, value: str) -> Break:
    return lambda _, settings: settings.__setitem__(key, value)


CASES: list[tuple[Break, str]] = [
    (lambda f, _: f.update({f"more-{n}": f["sweep"] for n in range(9)}), "OpenFaaS CE takes 15"),
    (lambda f, _: f.__setitem__("Sweep", f["sweep"]), "function Sweep: the name is no DNS label"),
    (lambda f, _: f.__setitem__("a" * 64, f["sweep"]), "the name is no DNS label"),
    (entry("env", {}), "function sweep: faas-cli does not know the key env"),
    (entry("max_inflight", 1), "faas-cli does not know the key max_inflight"),
    (entry("image", None), "it has no image"),
    (entry("skip_build", "true"), "skip_build must be true or false"),
    (entry("labels", ["team"]), "labels must be names with values"),
    (entry("secrets", "database-url"), "secrets must be a list"),
    (entry("handler", 1), "handler must be a text"),
    (entry("namespace", "prod"), "has the namespace openfaas-fn alone"),
    (entry("image", "${IMAGE_PREFIX}/sweep"), "${IMAGE_PREFIX} needs a default"),
    (put("environment", "REGION", "$REGION"), "$REGION needs a default"),
    (put("environment", "REGION", {"name": "one"}), "environment: REGION must be a text"),
    (put("environment", "REGION", None), "environment: REGION must be a text"),
    (put("environment", "REGION", True), "environment: REGION must be a text"),
    (put("limits", "cpu", 1), "limits: cpu must be a text"),
    (put("environment", "http_buffer_req_body", "true"), "of-watchdog 0.11.6 then panics"),
    (
        annotate("instance-ha.route", "^/v1/a/much/longer/pattern/than/all/those/of/the/others$", "api-segments"),
        "must stand first",
    ),
    (
        annotate("instance-ha.route", "^/v2(/[0-9a-f-]+)?/(segments/[^/]+/hosts|x-instance-ha/plans)(/.*)?$", "purge"),
        "two routes are of the same length",
    ),
    (entry("readonly_root_filesystem", False), "readonly_root_filesystem must be true"),
    (entry("secrets", ["database-url", "tls-key"]), "no setting is read from a secret tls-key"),
    (annotate("instance-ha.optional-secrets", "tls-key"), "no setting is read from a secret tls-key"),
    (annotate("com.openfaas.health.http.path", "/x"), "unknown annotation com.openfaas.health.http.path"),
    (annotate("instance-ha.rout", "^/$"), "unknown annotation instance-ha.rout"),
    (annotate("instance-ha.max-scale", 3), "must be a text: quote it"),
    (annotate("topic", "cron-function,payments"), "one topic a function"),
    (annotate("schedule", "* * * * *;5 * * * *"), "one schedule, of five fields"),
    (annotate("schedule", "@daily"), "one schedule, of five fields"),
    (annotate("instance-ha.events", "org.openstack.instanceha.gone"), "sends it no org.openstack.instanceha.gone"),
    (
        annotate("instance-ha.events", "org.openstack.instanceha.recover-instance", "recover-instance"),
        "sends it org.openstack.instanceha.evacuate-instance: instance-ha.events must name it",
    ),
    (annotate("instance-ha.route", "^/v1/x$", "recover-host"), "must have no public route"),
    (annotate("instance-ha.route", "/v1/x$"), "must begin with ^/ and end with $"),
    (annotate("instance-ha.route", "^/(?!v1).*$"), "not every gateway knows (?!"),
    (put("environment", "INSTANCE_HA_LEESE_TIME", "1"), "there is no setting INSTANCE_HA_LEESE_TIME"),
    (put("environment", "OS_PASSWORD", "x"), "OS_PASSWORD must be a secret"),
    (put("environment", "INSTANCE_HA_TRIGGER_KEY", "x"), "INSTANCE_HA_TRIGGER_KEY must be a secret"),
    (put("environment", "THREADS", "many"), "THREADS must be a number"),
    (setting("AWS_SECRET_ACCESS_KEY", "x"), "AWS_SECRET_ACCESS_KEY must be a secret"),
    (setting("INSTANCE_HA_LEESE_TIME", "1"), "deploy/settings.yml: there is no setting INSTANCE_HA_LEESE_TIME"),
    (put("labels", "com.openfaas.scale.zero", "true"), "OpenFaaS CE refuses the label com.openfaas.scale.zero"),
    (put("labels", "com.openfaas.scale.max", "6"), "must be 1 to 5 in OpenFaaS CE"),
    (put("labels", "com.openfaas.scale.min", "0"), "must be 1 to 5 in OpenFaaS CE"),
    (put("labels", "com.openfaas.scale.min", "2"), "and in order"),
    (put("labels", "com.openfaas.scale.max", 1), "must be a text: quote it"),
    (put("labels", "team", "high availability"), "is none that Kubernetes takes"),
    (annotate("instance-ha.max-scale", "0"), "the latter 1 or more"),
    (put("limits", "memory", "64Mi"), "requests more memory than its limit"),
    (put("limits", "memory", "256MB"), "limits of memory must be quantities"),
    (entry("requests", {}), "limits of cpu must be quantities"),
    (put("environment", "exec_timeout", "66s"), "not be longer than read_timeout"),
    (put("environment", "read_timeout", "soon"), "'soon' is not a duration"),
    (put("environment", "exec_timeout", "54s"), "must be 3 s longer than SWEEP_TIME"),
    (setting("INSTANCE_HA_INVOCATION_TIME", "56"), "must be 5 s longer than INVOCATION_TIME"),
    (setting("INSTANCE_HA_SWEEP_TIME", "58"), "must be 3 s longer than SWEEP_TIME"),
    (
        lambda f, _: f["sweep"].__setitem__(
            "environment",
            {**f["sweep"]["environment"], "exec_timeout": "2m", "read_timeout": "3m", "write_timeout": "3m"},
        ),
        "for which OpenFaaS' gateway waits",
    ),
]


@pytest.mark.parametrize(("change", "complaint"), CASES, ids=[text for _, text in CASES])
def test_a_stack_that_breaks_a_rule_is_refused(change: Break, complaint: str) -> None:
    found = broken(change)

    assert any(complaint in text for text in found), found
    assert all("\n" not in text for text in found)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("function", {}, "unknown key function"),
        ("version", 2.0, "version must be 1.0"),
        ("version", None, "version must be 1.0"),
        ("provider", {"name": "faas"}, "provider must have the name openfaas"),
        ("provider", None, "provider must have the name openfaas"),
        ("configuration", {"copy": "./lib"}, "configuration.copy must be a list"),
    ],
)
def test_what_faas_cli_refuses_above_the_functions_is_refused(key: str, value: Any, complaint: str) -> None:
    assert list(check(above(key, value), {})) == [complaint]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of all that the linter looks at."""
    for name in ("functions", "template", "lib", "deploy"):
        shutil.copytree(repository() / name, tmp_path / name, ignore=shutil.ignore_patterns("instance_ha"))
    shutil.copy(repository() / "stack.yml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("copy: [./lib]", "copy: [../lib]", "../lib must be there, and below the folder"),
        ("copy: [./lib]", "copy: [./libs]", "./libs must be there, and below the folder"),
        ("lang: python-functions-framework", "lang: python3-http", "there is no template python3-http"),
        ("build_options: [libvirt]", "build_options: [libvrt]", "the template has no build option libvrt"),
    ],
)
def test_files_that_faas_cli_does_not_find_are_refused(copied: Path, right: str, wrong: str, complaint: str) -> None:
    assert complaints(copied) == []
    file = copied / "stack.yml"
    file.write_text(file.read_text().replace(right, wrong))

    assert any(complaint in text for text in complaints(copied))


def test_a_key_that_stands_twice_is_refused(copied: Path) -> None:
    file = copied / "stack.yml"
    file.write_text(
        file.read_text().replace("    handler: ./functions/sweep\n", "    handler: ./functions/sweep\n" * 2)
    )

    with pytest.raises(StackError, match="handler stands twice"):
        complaints(copied)


@pytest.mark.parametrize("value", ["0.5", "yes", "", "{a: b}"])
def test_a_setting_that_go_and_python_read_differently_is_refused(copied: Path, value: str) -> None:
    file = copied / "deploy/settings.yml"
    file.write_text(f"{file.read_text()}  OS_REGION_NAME: {value}\n")

    with pytest.raises(StackError, match="OS_REGION_NAME must be a text: quote it"):
        complaints(copied)


def test_a_file_of_settings_that_is_not_there_is_refused(tmp_path: Path) -> None:
    shutil.copytree(repository() / "functions", tmp_path / "functions")
    text = (repository() / "stack.yml").read_text().replace("[deploy/settings.yml]", "[deploy/mine.yml]")
    (tmp_path / "stack.yml").write_text(text)
    (tmp_path / "deploy").mkdir()
    with pytest.raises(StackError, match="No such file"):
        complaints(tmp_path)
    shutil.copy(repository() / "deploy/settings.yml", tmp_path / "deploy")

    assert any("there is no deploy/mine.yml" in text for text in complaints(tmp_path))
