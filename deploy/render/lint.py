"""Says what is wrong with stack.yml and deploy/settings.yml, in one line each.

faas-cli lets some mistakes pass, and OpenFaaS CE refuses a deployment only when it is made: functions, labels, scale
and topics have limits there (faas-netes pkg/handlers/validate.go).
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from instance_ha.models import triggers
from instance_ha.settings import PREFIX, SECRETS, Settings

import stack
from deploy.render import lint_faas
from deploy.render.lint_times import times
from deploy.render.lint_values import Complaints, Entry, labels, resources, scale
from deploy.render.services import OPTIONAL_SECRETS
from deploy.render.site import read_settings
from local.files import repository
from stack import EVENTS, ROUTE

_MOST_FUNCTIONS = 15
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRETS = set(SECRETS.values()) | {"aws-credentials", "ca-certificates", "clouds-yaml", "fencing-yaml", "kubeconfig"}
_OURS = {"route", "events", "min-scale", "max-scale", "optional-secrets", "dead-letters", "lists-nodes"}
_ANNOTATIONS = {"topic", "schedule"} | {f"instance-ha.{name}" for name in _OURS}
_CONFIDENTIAL = re.compile(r"PASSWORD|SECRET_ACCESS_KEY|SESSION_TOKEN|SECRET$|^DATABASE_URL$")
_NOT_EVERYWHERE = ("(?=", "(?!", "(?<", "(?P", "\\1", "*+", "++")  # nginx has PCRE, Caddy and Envoy have RE2


def complaints(folder: Path) -> list[str]:
    """Return what is wrong; nothing if all is well.

    Raises:
        StackError: a file is not even read.

    """
    path = folder / "stack.yml"
    settings = read_settings(folder / "deploy/settings.yml")
    found = list(check(stack.load(path), settings))
    if not found:
        stack.read(path)  # its own checks: handlers, patterns, schedules
        found = list(lint_faas.files(folder, stack.load(path)))
    return [f"{path}: {text}" for text in found]


def check(document: Mapping[str, Any], settings: Mapping[str, str]) -> Complaints:
    """Check the content of stack.yml, together with the settings of the site."""
    yield from lint_faas.top(document)
    functions = document["functions"]
    if len(functions) > _MOST_FUNCTIONS:
        yield f"{len(functions)} functions; OpenFaaS CE takes {_MOST_FUNCTIONS}"
    yield from _environment("deploy/settings.yml", settings)
    for name, entry in functions.items():
        if misshapen := list(lint_faas.shape(str(name), entry)):
            yield from (f"function {name}: {text}" for text in misshapen)
            continue  # the other rules rely on it
        for rule in _RULES:
            yield from (f"function {name}: {text}" for text in rule(str(name), entry))
        own = {key: str(value) for key, value in (entry.get("environment") or {}).items()}
        yield from (f"function {name}: {text}" for text in times(str(name), own, {**own, **settings}))
    yield from _routes(functions)


def _shape(name: str, entry: Entry) -> Complaints:
    if not _NAME.fullmatch(name):
        yield "the name is no DNS label"
    if not entry.get("image"):
        yield "it has no image"
    if entry.get("readonly_root_filesystem") is not True:
        yield "readonly_root_filesystem must be true"


def _secrets(_name: str, entry: Entry) -> Complaints:
    optional = (entry.get("annotations") or {}).get(OPTIONAL_SECRETS, "")
    for secret in [*(entry.get("secrets") or []), *filter(None, str(optional).split(","))]:
        if secret.strip() not in _SECRETS:
            yield f"no setting is read from a secret {secret.strip()}"


def _annotations(_name: str, entry: Entry) -> Complaints:
    for key in entry.get("annotations") or {}:
        if key not in _ANNOTATIONS:
            yield f"unknown annotation {key}"


def _cron(_name: str, entry: Entry) -> Complaints:
    annotations = entry.get("annotations") or {}
    if annotations.get("topic") not in (None, "cron-function"):
        yield "OpenFaaS CE takes one topic a function, and it is cron-function"
    schedule = annotations.get("schedule")
    if schedule is not None and (";" in str(schedule) or len(str(schedule).split()) != 5):
        yield "it must have one schedule, of five fields"


def _events(name: str, entry: Entry) -> Complaints:
    annotations = entry.get("annotations") or {}
    kinds = {kind.type for kind in vars(triggers).values() if isinstance(kind, triggers.Kind) and kind.function == name}
    named = {text.strip() for text in str(annotations.get(EVENTS, "")).split(",") if text.strip()}
    yield from (f"models/triggers.py sends it {kind}: {EVENTS} must name it" for kind in sorted(kinds - named))
    yield from (f"models/triggers.py sends it no {kind}" for kind in sorted(named - kinds))
    if named and ROUTE in annotations:
        yield "a function that takes events must have no public route"


def _route(_name: str, entry: Entry) -> Complaints:
    route = (entry.get("annotations") or {}).get(ROUTE)
    if route is None:
        return
    if not (route.startswith("^/") and route.endswith("$")):
        yield "the route must begin with ^/ and end with $: gateways differ in what they match else"
    yield from (f"not every gateway knows {part} in a route" for part in _NOT_EVERYWHERE if part in route)


def _routes(functions: Mapping[str, Entry]) -> Complaints:
    """Check that gateways that go by length ask the patterns in the same order as those that go by the file."""
    annotations = [entry.get("annotations") or {} for entry in functions.values()]
    lengths = [len(each[ROUTE]) for each in annotations if isinstance(each, dict) and ROUTE in each]
    if lengths != sorted(lengths, reverse=True):
        yield "functions with longer routes must stand first: some gateways ask the longest pattern first"
    if len(set(lengths)) < len(lengths):
        yield "two routes are of the same length: which one a gateway asks first is not known"


def _variables(_name: str, entry: Entry) -> Complaints:
    environment = entry.get("environment") or {}
    yield from _environment("environment", environment)
    if not re.fullmatch("[1-9][0-9]*", str(environment.get("THREADS"))):
        yield "THREADS must be a number of 1 or more"


def _environment(where: str, environment: Mapping[str, Any]) -> Complaints:
    for name in environment:
        field = name.removeprefix(PREFIX).lower()
        if name.startswith(PREFIX) and field not in Settings.model_fields:
            yield f"{where}: there is no setting {name}"
        if _CONFIDENTIAL.search(name) or (name.startswith(PREFIX) and field in SECRETS):
            yield f"{where}: {name} must be a secret, not a variable"


_RULES: tuple[Callable[[str, Entry], Complaints], ...] = (
    lint_faas.watchdog, _shape, _secrets, _annotations, _cron, _events, _route, _variables, labels, resources, scale,
)  # fmt: skip


def main() -> int:
    """Check the repository's files."""
    try:
        found = complaints(repository())
    except stack.StackError as error:
        found = [str(error)]
    for text in found:
        print(text, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
