"""Rules that faas-cli has too, so that `make check` says what it would refuse, and what it passes over in silence."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Entry = Mapping[str, Any]

_VERSION = "1.0"
_PROVIDER = "openfaas"
_NAMESPACE = "openfaas-fn"
_TOP = {"version", "provider", "functions", "configuration"}
_TEXT, _TRUTH, _MAP, _LIST = "a text", "true or false", "names with values", "a list"
_TYPES: dict[str, type] = {_TEXT: str, _TRUTH: bool, _MAP: dict, _LIST: list}
# faas-cli's own keys and their types (go-sdk stack/schema.go)
_KEYS = {
    **dict.fromkeys(("lang", "handler", "image", "fprocess", "platforms", "namespace"), _TEXT),
    **dict.fromkeys(("skip_build", "readonly_root_filesystem"), _TRUTH),
    **dict.fromkeys(
        ("environment", "labels", "annotations", "limits", "requests", "build_args", "build_secrets"), _MAP
    ),
    **dict.fromkeys(("environment_file", "secrets", "constraints", "build_options"), _LIST),
}
_NO_DEFAULT = re.compile(r"\$\{\w+\}|\$\w+")


def top(document: Entry) -> Iterator[str]:
    """Check what stands above the functions."""
    yield from (f"unknown key {key}" for key in document if key not in _TOP)
    if str(document.get("version")) != _VERSION:
        yield f"version must be {_VERSION}"
    provider = document.get("provider")
    if not isinstance(provider, dict) or provider.get("name") != _PROVIDER:
        yield f"provider must have the name {_PROVIDER}"
    configuration = document.get("configuration") or {}
    if not isinstance(configuration, dict) or not isinstance(configuration.get("copy", []), list):
        yield "configuration.copy must be a list"


def shape(_name: str, entry: Entry) -> Iterator[str]:
    """Check the keys of a function and what kinds of values they have."""
    for key, value in entry.items():
        kind = _KEYS.get(key)
        if kind is None:
            yield f"faas-cli does not know the key {key}"
        elif value is not None and not isinstance(value, _TYPES[kind]):
            yield f"{key} must be {kind}"
        elif isinstance(value, dict):
            yield from _texts(key, value)
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            yield f"{key} must be a list of texts"
    if entry.get("namespace") not in (None, _NAMESPACE):
        yield f"OpenFaaS CE has the namespace {_NAMESPACE} alone"
    yield from (f"{found} needs a default: ${{NAME:-default}}" for found in sorted(set(_variables(entry))))


def watchdog(_name: str, entry: Entry) -> Iterator[str]:
    """Check what the watchdog is told beside what the image tells it."""
    environment = entry.get("environment")
    if isinstance(environment, dict) and environment.get("http_buffer_req_body") == "true":
        yield "http_buffer_req_body must not be true: of-watchdog 0.11.6 then panics at each probe of ready_path"


def files(folder: Path, document: Entry) -> Iterator[str]:
    """Check that the files that are named are there, and inside the folder of stack.yml."""
    for path in (document.get("configuration") or {}).get("copy") or []:
        whole = (folder / path).resolve()
        if folder.resolve() not in whole.parents or not whole.exists():
            yield f"configuration.copy: {path} must be there, and below the folder of stack.yml"
    for name, entry in document["functions"].items():
        yield from (f"function {name}: {text}" for text in _files(folder, entry))


def _files(folder: Path, entry: Entry) -> Iterator[str]:
    for file in entry.get("environment_file") or []:
        if not (folder / file).is_file():
            yield f"there is no {file}"
    template = folder / "template" / str(entry.get("lang")) / "template.yml"
    if not entry.get("lang") or not template.is_file():
        yield f"there is no template {entry.get('lang')}"
        return
    known = {option["name"] for option in yaml.safe_load(template.read_text()).get("build_options") or []}
    yield from (
        f"the template has no build option {one}" for one in entry.get("build_options") or [] if one not in known
    )


def _texts(key: str, values: Entry) -> Iterator[str]:
    """Only texts are read alike by everybody: of a `yes` or a `1e3` Go and Python make different ones."""
    for name, value in values.items():
        if not isinstance(value, str):
            yield f"{key}: {name} must be a text: quote it"


def _variables(value: Any) -> Iterator[str]:
    """Find variables without a default, which faas-cli refuses where they are not set."""
    if isinstance(value, str):
        yield from _NO_DEFAULT.findall(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _variables(inner)
