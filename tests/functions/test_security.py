"""Who is let in where, and what is never told: docs/security.md has a row for each way in, and names its test."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from instance_ha import command
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_HOST, Trigger
from instance_ha.settings import SECRETS
from instance_ha.triggers.codec import encode
from sqlalchemy import text

import stack
from local.files import repository
from tests.functions.conftest import Installation, closed, fault

FUNCTIONS = stack.read(repository() / "stack.yml")
SCHEDULED = [function.name for function in FUNCTIONS if function.schedule]
PAGE = (repository() / "docs/security.md").read_text()


@pytest.mark.parametrize("function", SCHEDULED)
@pytest.mark.parametrize("token", [None, "", "Bearer wrong", "Bearer", "Basic {}", "{}"])
def test_a_tick_without_the_token_is_refused(installation: Installation, function: str, token: str | None) -> None:
    known = (installation.runtime.options.state_dir / "secrets/cron-token").read_text().strip()
    headers = {} if token is None else {"Authorization": token.format(known)}
    assert fault(installation.post(f"/function/{function}", user=None, headers=headers)) == (401, "unauthorized")


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_tick_with_the_token_is_taken(installation: Installation, function: str) -> None:
    assert installation.tick(function).status_code == 204


@pytest.mark.parametrize(("content", "code"), [("{}\nold\n", 0), ("wrong", 1), (None, 1), ("", 1)])
def test_a_scheduler_of_ones_own_ticks_with_a_command(
    installation: Installation,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    code: int,
) -> None:
    known = (installation.runtime.options.state_dir / "secrets/cron-token").read_text().strip()
    if content is not None:
        (tmp_path / "cron-token").write_text(content.format(known))
    with pytest.raises(SystemExit) as ended:
        command.main(["tick", f"{installation.url}/function/purge"], {"INSTANCE_HA_SECRETS_DIR": str(tmp_path)})
    said = capsys.readouterr().err
    assert (ended.value.code, len(said.splitlines())) == (code, code)
    assert known not in said


def test_an_event_that_is_sent_again_changes_nothing(installation: Installation, host: dict[str, Any]) -> None:
    ended = closed(installation, installation.notification(host))
    key = (installation.runtime.options.state_dir / "secrets/trigger-key").read_bytes().strip()
    headers, body = encode(Trigger(RECOVER_HOST, ended["notification_uuid"]), _now(installation), key)
    for _ in range(3):
        sent = installation.post("/function/recover-host", data=body, headers=headers, user=None, version=None)
        assert sent.status_code == 204
    assert closed(installation, ended) == ended


def _now(installation: Installation) -> Any:
    with installation.database.begin() as connection:
        return connection.execute(text("SELECT now()")).scalar_one()


def test_nothing_that_is_stored_or_sent_holds_a_secret(installation: Installation, segment: dict[str, Any]) -> None:
    host, _ = installation.host(segment), installation.host(segment)
    installation.cloud.boot(host["name"], 2)
    installation.cloud.kill_host(host["name"])
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
    ended = closed(installation, installation.notification(host, payload=payload), 60)
    assert ended["status"] == "finished"
    secrets = installation.secrets()
    with installation.database.begin() as connection:
        names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all()
        rows = [
            str(dict(row)) for name in names for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()
        ]
    assert len(rows) > 10
    assert [row for row in rows if any(secret in row for secret in secrets)] == []
    key = secrets[1].encode()
    for kind in (RECOVER_HOST, EVACUATE_INSTANCE):
        headers, body = encode(Trigger(kind, str(uuid4()), "req-1"), _now(installation), key)
        assert not any(secret in f"{headers} {body!r}" for secret in secrets)


@pytest.mark.parametrize(
    "body",
    [
        b'{"segment": ' + b"[" * 33 + b"]" * 33 + b"}",
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"segment": {"name": NaN}}',
        b'{"segment": {"name": Infinity}}',
        b'{"segment": {"name": ' + b"9" * 5000 + b"}}",
        b'{"segment": {"name": "\\u0000", "recovery_method": "auto", "service_type": "COMPUTE"}}',
        b'{"segment": {"name": "\\ud800", "recovery_method": "auto", "service_type": "COMPUTE"}}',
        b'{"segment": {"name": "a", "recovery_method": "auto", "service_type": "a\\u0000"}}',
        b'{"segment": {"name": "a", "recovery_method": "auto", "service_type": "COMPUTE", "description": "\\u0000"}}',
        b"\xff\xfe",
        b'{"segment": {"name": "\xed\xa0\x80"}}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_too_deep_or_no_text_is_a_bad_request(installation: Installation, body: bytes) -> None:
    assert fault(installation.post("/v1/segments", data=body)) == (400, "badRequest")


@pytest.mark.parametrize("text_of", ["\0", "a\0b", "\ud800"])
def test_a_payload_that_postgres_cannot_hold_is_a_bad_request(
    installation: Installation, host: dict[str, Any], text_of: str
) -> None:
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": text_of}
    report = {"type": "COMPUTE_HOST", "hostname": host["name"], "generated_time": "2026-11-22T03:00:00"}
    body = json.dumps({"notification": report | {"payload": payload}}).encode()
    assert fault(installation.post("/v1/notifications", data=body)) == (400, "badRequest")


@pytest.mark.parametrize("query", ["?marker=%00", "?sort_key=%00", "?recovery_method=%00", "?limit=%00", "?name=%ff"])
def test_a_query_that_is_no_text_is_never_an_error_of_ours(installation: Installation, query: str) -> None:
    assert installation.get(f"/v1/segments{query}").status_code < 500


def test_a_header_of_64_kilobytes_is_never_an_error_of_ours(installation: Installation) -> None:
    answer = installation.get("/v1/segments", headers={"X-OpenStack-Request-ID": "req-" + "a" * 60_000})
    assert answer.status_code in {200, 400, 431}


def test_what_a_caller_sends_never_becomes_a_header(installation: Installation) -> None:
    answer = installation.get("/v1/segments", headers={"X-OpenStack-Request-ID": "req-1%0d%0aSet-Cookie: a=b"})
    assert "Set-Cookie" not in answer.headers


def _rows(heading: str) -> list[list[str]]:
    table = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_way_in_is_in_the_table_with_a_test_that_is_there() -> None:
    rows = _rows("Who is let in where")
    listed = " ".join(row[0] for row in rows)
    for function in FUNCTIONS:
        assert f"`{function.name}`" in listed, function.name
    for path in ("/_/health", "/_/ready", "/_/metrics", "/dead-letters", "/openapi.json"):
        assert f"`{path}`" in listed, path
    for row in rows:
        for name in re.findall(r"`(tests/[^`]+::[^`]+)`", row[-1]):
            file, _, test = name.partition("::")
            assert f"def {test}(" in (repository() / file).read_text(), name
        assert "::" in row[-1], row


def test_every_secret_is_in_the_table_of_secrets() -> None:
    listed = {row[0].strip("`") for row in _rows("Secrets")}
    mounted = {name for f in FUNCTIONS for name in f.secrets}
    assert mounted | set(SECRETS.values()) <= listed


def test_strangers_events_are_refused_without_a_row_written_for_each(installation: Installation) -> None:
    written = []
    for _ in range(20):
        refused = installation.post("/function/recover-host", {}, user=None, version=None)
        assert refused.status_code in {400, 403}
        with installation.database.begin() as connection:
            query = text("SELECT sum(value) FROM counters WHERE name LIKE '%refused%'")
            written.append(connection.execute(query).scalar_one())
    assert len(set(written)) <= 3
