import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from instance_ha import log, masking
from instance_ha.models import errors
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import (
    FINAL_NOTIFICATION,
    OPEN_NOTIFICATION,
    NotificationStatus,
)
from instance_ha.settings import load

Lines = Any


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Return what has been logged so far, line by line."""
    before, file = structlog.get_config(), io.StringIO()
    log.configure("INFO")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file))
    yield lambda: [json.loads(line) for line in file.getvalue().splitlines()]
    structlog.configure(**before)


def test_a_log_line_is_one_json_object_with_level_and_time(lines: Lines) -> None:
    log.get().info("done", host="compute1")
    (line,) = lines()
    assert list(line) == ["timestamp", "level", "event", "host"]
    assert (line["event"], line["level"], line["host"]) == ("done", "info", "compute1")
    assert line["timestamp"].endswith("Z")


def test_what_is_bound_stands_in_every_line_inside_and_in_none_after(lines: Lines) -> None:
    with log.bound(request_id="req-1", subject=None):
        log.get().info("inside")
    log.get().info("outside")
    inside, outside = lines()
    assert inside["request_id"] == "req-1"
    assert "subject" not in inside
    assert "request_id" not in outside


def test_lines_below_the_level_are_left_out(lines: Lines) -> None:
    log.get().debug("quiet")
    assert lines() == []


def test_an_exception_is_one_line_too(lines: Lines) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        log.get().exception("stumbled")
    (line,) = lines()
    assert "ValueError: broken" in line["exception"]


def test_settings_that_are_logged_keep_their_secrets(lines: Lines) -> None:
    settings = load({"DATABASE_URL": "postgresql://ha:s3cret@db/ha", "INSTANCE_HA_TRIGGER_KEY": "k3y"})
    log.get().info("settings", settings=str(settings), url=str(settings.database_url))
    text = json.dumps(lines())
    assert "s3cret" not in text
    assert "k3y" not in text


def library(level: int, text: str, *values: object) -> logging.LogRecord:
    """Have what a library logs."""
    try:
        raise OSError("gone")
    except OSError:
        return logging.LogRecord("lib", level, __file__, 1, text, values, sys.exc_info())


def test_a_line_of_a_library_has_the_same_form_and_what_is_bound() -> None:
    with log.bound(request_id="req-1", function="sweep"):
        line = json.loads(log.formatter().format(library(logging.WARNING, "slow %s", "answer")))
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (line["level"], line["event"], line["logger"]) == ("warning", "slow answer", "lib")
    assert (line["request_id"], line["function"]) == ("req-1", "sweep")
    assert "OSError: gone" in line["exception"]


def test_every_status_of_a_notification_is_either_open_or_final() -> None:
    assert set(NotificationStatus) == OPEN_NOTIFICATION | FINAL_NOTIFICATION
    assert not OPEN_NOTIFICATION & FINAL_NOTIFICATION


@pytest.mark.parametrize("status", ["done", "completed", "error", "failed", "cancelled", "accepted", "migrating"])
def test_a_migration_that_is_over_has_moved_or_failed_or_unclear_and_only_one_of_these(status: str) -> None:
    migration = Migration(id=1, server_id="vm", status=status, source_host="compute1")
    assert [migration.moved, migration.failed, migration.unclear].count(True) == int(migration.final)


def test_every_refusal_has_its_own_http_code() -> None:
    codes = [kind.code for kind in errors.Refused.__subclasses__() if kind.__module__ == errors.__name__]
    assert sorted(codes) == sorted({400, 401, 403, 404, 405, 406, 409, 413, 415})


def test_what_nova_refused_keeps_its_code_and_its_words() -> None:
    error = errors.CloudRefused(409, "locked")
    assert (error.code, str(error)) == (409, "locked (HTTP 409)")


def test_a_secret_is_masked_in_every_value_and_the_line_stays_json(lines: Lines) -> None:
    masking.hide({"a test's": ["hush-hush"]})
    log.get().info(
        'said "hush-hush"', error=ValueError("password=pa55, bad"), many=[{"url": "http://ha:pw@db"}], tries=3
    )
    (line,) = lines()
    assert line["event"] == 'said "***"'
    assert (line["error"], line["many"], line["tries"]) == ("password=***, bad", [{"url": "http://ha:***@db"}], 3)


def test_a_secret_in_a_line_of_a_library_is_masked() -> None:
    record = library(logging.WARNING, 'sent {"X-Auth-Token": "%s"}', "t0k3n")
    assert "t0k3n" not in log.formatter().format(record)
