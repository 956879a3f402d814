"""Who may do what: the defaults, the reader file that comes with us, and files of operators."""

import os
import time
from pathlib import Path

import pytest
from instance_ha.api import openapi
from instance_ha.models.errors import Forbidden, Misconfigured
from instance_ha.models.rows import Caller
from instance_ha.policy.enforcer import READER, Policy
from instance_ha.policy.rules import OURS, PREFIX, list_rules, whole_name

RULES = {rule.name for rule in list_rules()}
READING = [
    f"{part}:{what}" for part in ("segments", "os-hosts", "notifications", "vmoves") for what in ("index", "detail")
]
WRITING = sorted(
    name.removeprefix(PREFIX)
    for name in RULES
    if name.startswith(PREFIX) and name.endswith((":create", ":update", ":delete"))
)
OURS_READING = [f"{OURS}policies:detail", f"{OURS}evidence:index"]
DECIDING = [f"{OURS}policies:update", f"{OURS}evidence:confirm"]


def who(*roles: str, project: str | None = "0a") -> Caller:
    """Return a caller with these roles."""
    return Caller("user", project, frozenset(roles))


def test_each_operation_below_v1_asks_for_a_rule_that_exists_and_no_other_does() -> None:
    operations = [operation for path in openapi.document()["paths"].items() for operation in _operations(*path)]
    assert {(path.startswith("/v1/") and "versions" not in path and path != "/v1/", rule is not None)
            for path, rule in operations} == {(True, True), (False, False)}  # fmt: skip
    assert {whole_name(rule) for _, rule in operations if rule} <= RULES


def _operations(path: str, methods: dict[str, dict[str, str]]) -> list[tuple[str, str | None]]:
    return [(path, about.get("x-policy-rule")) for method, about in methods.items() if method != "parameters"]


@pytest.mark.parametrize("rule", READING + WRITING)
def test_by_default_an_administrator_may_do_all_and_nobody_else_anything(rule: str) -> None:
    policy = Policy(None)
    assert policy.allows(who("admin"), rule)
    assert policy.allows(who("admin", project=None), rule)
    assert not policy.allows(who("manager", "member", "reader"), rule)
    assert not policy.allows(who(), rule)


@pytest.mark.parametrize("rule", DECIDING)
def test_a_right_to_report_is_none_to_decide(rule: str) -> None:
    """The users of monitors are administrators in most clouds."""
    policy = Policy(None)
    assert policy.allows(who("admin"), "notifications:create")
    assert not policy.allows(who("admin"), rule)
    assert not policy.allows(who("instance_ha_witness"), rule)
    assert policy.allows(who("instance_ha_operator"), rule)
    assert not policy.allows(who("instance_ha_operator"), "notifications:create")


def test_a_system_of_the_operator_s_own_may_add_evidence_and_confirm_nothing() -> None:
    policy = Policy(None)
    assert policy.allows(who("instance_ha_witness"), f"{OURS}evidence:create")
    assert policy.allows(who("instance_ha_operator"), f"{OURS}evidence:create")
    assert not policy.allows(who("admin"), f"{OURS}evidence:create")


@pytest.mark.parametrize("rule", OURS_READING)
def test_an_administrator_may_read_what_decides_and_a_reader_with_the_reader_file(rule: str) -> None:
    assert Policy(None).allows(who("admin"), rule)
    assert not Policy(None).allows(who("reader"), rule)
    assert Policy("reader").allows(who("reader"), rule)


def test_a_refusal_names_the_rule() -> None:
    with pytest.raises(Forbidden, match="os_masakari_api:segments:create"):
        Policy(None).check(who("member"), "segments:create")


@pytest.mark.parametrize("rule", READING)
def test_with_the_reader_file_a_reader_may_read(rule: str) -> None:
    policy = Policy("reader")
    assert policy.allows(who("reader"), rule)
    assert policy.allows(who("admin"), rule)
    assert not policy.allows(who("member"), rule)


@pytest.mark.parametrize("rule", WRITING)
def test_with_the_reader_file_only_an_administrator_may_write(rule: str) -> None:
    policy = Policy("reader")
    assert policy.allows(who("admin"), rule)
    assert not policy.allows(who("reader", "member", "manager"), rule)


def test_the_reader_file_names_only_rules_that_exist() -> None:
    named = {line.split('"')[1] for line in READER.read_text().splitlines() if line.startswith('"')}
    assert named - RULES == {"admin_or_reader"}


def test_whose_requests_are_an_administrators_can_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('"context_is_admin": "role:ha_operator"\n')
    policy = Policy(str(file))
    assert policy.allows(who("ha_operator"), "segments:create")
    assert not policy.allows(who("admin"), "segments:create")


def test_a_changed_policy_file_counts_at_once(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text('"os_masakari_api:segments:index": "@"\n')
    policy = Policy(str(file))
    assert policy.allows(who(), "segments:index")
    file.write_text('"os_masakari_api:segments:index": "!"\n')
    os.utime(file, (time.time() + 5, time.time() + 5))
    assert not policy.allows(who("admin"), "segments:index")


@pytest.mark.parametrize(
    "text",
    [
        '"os_masakari_api:segments:index": [',
        "- role:admin",
        '"os_masakari_api:segments:index": "nonsense ("',
        '"os_masakari_api:segments:index": "rule:no_such_rule"',
    ],
)
def test_a_policy_file_that_makes_no_sense_is_refused_and_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match=r"policy\.yaml"):
        Policy(str(file))


def test_a_policy_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(Misconfigured, match="/no/policy"):
        Policy("/no/policy.yaml")
