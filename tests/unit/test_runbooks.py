"""What pages and alert rules tell an operator to type or look for is there: commands, settings, columns, log keys."""

import ast
import contextlib
import dataclasses
import io
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import entry_points
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from instance_ha.command import parser
from instance_ha.decide.purge import PurgeRequest
from instance_ha.models import metrics
from instance_ha.settings import Settings
from instance_ha.sinks.envelope import Envelope
from instance_ha.store.schema import metadata

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md")))]
RULES = "deploy/prometheus/rules.yaml"
GROUPS = (
    "openstack.extension",
    "openstack.ha.v1",
    "openstack.compute.v2",
    "openstack.identity.v3",
    "openstack.cli.extension",
)
_OF_OTHERS = {  # words of Nova, Postgres and pgbouncer that look like ours
    *(
        "service_down_time",
        "resume_guests_state_on_host_boot",
        "max_connections",
        "synchronous_standby_names",
        "default_pool_size",
        "pool_mode",
        "auth_type",
        "pg_stat_activity",
    ),
    *("statement_timeout", "lock_timeout", "pg_dump", "rule_files", "task_state", "vm_state", "power_state"),
}


def text_of(page: str) -> str:
    """Return a page, or what the rules say to people."""
    text = (ROOT / page).read_text()
    if page != RULES:
        return text
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    return "\n".join(str(words) for rule in rules for words in rule["annotations"].values())


def commands(page: str, program: str) -> Iterator[str]:
    """Name the calls of a program: lines of blocks of code, and what stands between backticks."""
    text = text_of(page)
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.S | re.M)
    lines = [line.strip() for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    lines += re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))
    for line in lines:
        call = re.split(r"\s#|\s\||&&|;|<<|\s>", re.sub(r"^(\w+=\S+ )+", "", line))[0].strip()
        if call.startswith(f"{program} ") and "…" not in call:
            yield call.removeprefix(f"{program} ")


def spelled_out(call: str) -> Iterator[list[str]]:
    """Write a call down once for each of its alternatives (``a|b``), with all that is in brackets."""
    words = shlex.split(call.replace("[", "").replace("]", ""))
    yield from (list(one) for one in product(*(word.split("|") for word in words)))


OURS = [(page, call) for page in [*PAGES, RULES] for call in dict.fromkeys(commands(page, "instance-ha"))]
STOCK = [
    (page, call)
    for page in [*PAGES, RULES]
    for call in dict.fromkeys(commands(page, "openstack"))
    if page in {"docs/operate.md", RULES} or call.startswith("ha ")
]


@pytest.mark.parametrize(("page", "call"), OURS)
def test_our_command_takes_what_a_page_gives_it(page: str, call: str) -> None:
    for words in spelled_out(call):
        typed = ["1" if word == "N" else word for word in words]
        typed += ["--help"] if len(typed) == 1 else []  # a command that is only mentioned
        with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
            try:
                parser().parse_args(typed)
            except SystemExit as ended:
                assert not ended.code, f"{page}: {said.getvalue()}"


def test_the_page_of_our_commands_has_each_of_them() -> None:
    calls = list(commands("docs/openstack.md", "openstack"))
    names = [point.name.replace("_", " ") for point in entry_points(group="openstack.extension")]
    assert [name for name in names if not any(call.startswith(name) for call in calls)] == []


@pytest.mark.parametrize(("page", "call"), STOCK)
def test_the_openstack_command_takes_what_a_page_gives_it(page: str, call: str) -> None:
    words = shlex.split(call)
    version = "1.0"
    while words[0].startswith("--"):
        option, value, *words = words
        version = value if option == "--os-ha-api-version" else version
    known = {entry.name: entry for group in GROUPS for entry in entry_points(group=group)}
    count = max((n for n in range(1, len(words) + 1) if "_".join(words[:n]).replace("-", "_") in known), default=0)
    assert count, f"{page}: there is no command openstack {call}"
    command: Any = known["_".join(words[:count]).replace("-", "_")].load()
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            command(None, None).get_parser("openstack").parse_args(words[count:])
        except SystemExit:
            pytest.fail(f"{page}: {said.getvalue()}")
    needed = "1.3" if "vmove" in words else "1.2" if "--is_enabled" in words else "1.0"
    assert version >= needed, f"{page}: openstack {call} needs --os-ha-api-version {needed}"


def log_keys() -> set[str]:
    """Name the keys of all log lines that our code writes."""
    keys: set[str] = set()
    for file in (ROOT / "lib/instance_ha").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                about = ast.unparse(node.func)
                if about.startswith("log.get().") or about == "log.bound":
                    keys.update(keyword.arg for keyword in node.keywords if keyword.arg)
    return keys


@pytest.mark.parametrize("page", ["docs/operate.md", "docs/events.md", "docs/purge.md", RULES])
def test_each_setting_column_metric_and_log_key_that_a_page_names_is_there(page: str) -> None:
    columns = {column.name for table in metadata.tables.values() for column in table.columns} | set(metadata.tables)
    labels = {label for metric in metrics.ALL for label in metric.labels} | {metric.shown for metric in metrics.ALL}
    fields = set(Envelope.model_fields) | {field.name for field in dataclasses.fields(PurgeRequest)}
    known = set(Settings.model_fields) | columns | labels | log_keys() | fields | _OF_OTHERS
    named = {word for word in re.findall(r"`([^`\n]+)`", text_of(page)) if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
    assert named - known == set()


@pytest.mark.parametrize("page", [*PAGES, RULES])
def test_each_setting_that_a_page_names_as_a_variable_is_there(page: str) -> None:
    named = {name.lower() for name in re.findall(r"\bINSTANCE_HA_([A-Z_]*[A-Z])\b(?!_?[*…])", text_of(page))}
    assert named - set(Settings.model_fields) == set()
