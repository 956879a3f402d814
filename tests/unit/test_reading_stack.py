from pathlib import Path

import pytest

from local.files import repository
from stack import StackError, read, routed, substituted


def write(folder: Path, text: str) -> Path:
    (folder / "one").mkdir()
    (folder / "one/main.py").touch()
    file = folder / "stack.yml"
    file.write_text(text)
    return file


def test_the_stack_of_the_repository_is_read_and_every_public_path_has_an_owner() -> None:
    functions = read(repository() / "stack.yml")

    assert routed(functions, "/v1/segments/1/hosts") == "api-hosts"
    assert routed(functions, "/v1/0123456789abcdef/segments/1/hosts/2") == "api-hosts"
    assert routed(functions, "/v1/notifications") == "api-notifications"
    assert routed(functions, "/v1/segments") == "api-segments"
    assert routed(functions, "/v1/x-instance-ha/purge") == "purge"
    assert routed(functions, "/v1/x-instance-ha/plans") == "api-hosts"
    assert routed(functions, "/v1/x-instance-ha/explanations/1") == "api-notifications"
    assert routed(functions, "/v1/x-instance-ha/incidents/1") == "api-notifications"
    assert routed(functions, "/") == "api-segments"
    assert {f.name for f in functions if f.schedule} >= {"sweep"}
    assert all(f.target == f.name.replace("-", "_") for f in functions)


def test_the_first_function_whose_route_matches_answers(tmp_path: Path) -> None:
    one = "{handler: ./one, annotations: {instance-ha.route: '^/a'}}"
    two = "{handler: ./one, annotations: {instance-ha.route: '^/'}}"
    functions = read(write(tmp_path, f"functions:\n  one: {one}\n  two: {two}\n  three: {{handler: ./one}}\n"))

    assert [routed(functions, path) for path in ("/ab", "/b")] == ["one", "two"]
    assert routed(functions[2:], "/ab") is None


def test_the_environment_of_a_function_is_read_as_text(tmp_path: Path) -> None:
    (function,) = read(write(tmp_path, "functions: {one: {handler: ./one, environment: {a: 1, b: '${X:-y}'}}}"))

    assert function.environment == {"a": "1", "b": "${X:-y}"}


def test_events_and_secrets_of_a_function_are_read(tmp_path: Path) -> None:
    entry = "{handler: ./one, secrets: [a, b], annotations: {instance-ha.events: 'x.y, x.z'}}"
    (function,) = read(write(tmp_path, f"functions: {{one: {entry}}}"))

    assert (function.events, function.secrets) == (("x.y", "x.z"), ("a", "b"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("${A:-x}/f:${B:-y}", "1/f:y"), ("${A}", "1"), ("${B}", ""), ("${C:-x}", "x"), ("plain", "plain")],
)
def test_variables_are_put_in_as_faas_cli_does(text: str, expected: str) -> None:
    assert substituted(text, {"A": "1", "C": ""}) == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("functions: [", "is no YAML"),
        ("", "it has no functions"),
        ("functions: []", "it has no functions"),
        ("functions: {one: }", "function one: it has no handler"),
        ("functions: {one: {handler: ./none}}", "function one: there is no"),
        ("functions: {one: {handler: ./one, secrets: {a: b}}}", "secrets must be a list"),
        ("functions: {one: {handler: ./one, annotations: [a]}}", "annotations must be names with values"),
        (
            "functions: {one: {handler: ./one, annotations: {instance-ha.route: '('}}}",
            "the route is no regular expression",
        ),
        (
            "functions: {one: {handler: ./one, annotations: {topic: cron-function, schedule: often}}}",
            "'often' is no schedule",
        ),
        ("functions: {one: {handler: ./one, annotations: {schedule: '* * * * *'}}}", "belong together"),
        ("functions: {one: {handler: ./one, annotations: {topic: cron-function}}}", "belong together"),
    ],
)
def test_a_mistake_is_told_in_one_line_that_names_the_file(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(StackError) as error:
        read(write(tmp_path, text))

    assert complaint in str(error.value)
    assert str(tmp_path / "stack.yml") in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="No such file"):
        read(tmp_path / "stack.yml")
