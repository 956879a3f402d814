"""What the API reads from a request before it does anything."""

import contextlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from flask import Request
from gunicorn.http.errors import InvalidChunkSize, NoMoreData
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.api import faults, microversion
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Body, ListQuery, read_body, read_query
from instance_ha.api.schemas.hosts import HostsQuery, UpdateHost
from instance_ha.api.schemas.notifications import CreateNotification, NotificationsQuery
from instance_ha.api.schemas.segments import CreateSegment, NewSegment
from instance_ha.api.web import Api
from instance_ha.models.errors import (
    BadRequest,
    CloudTimeout,
    CloudUnavailable,
    NotAcceptable,
    StoreUnavailable,
    TryAgain,
    Unauthorized,
)
from instance_ha.models.rows import Caller
from instance_ha.settings import load
from instance_ha.store.paging import Page
from instance_ha.world import ApiWorld
from werkzeug.test import EnvironBuilder

SETTINGS = load({"DATABASE_URL": "postgresql://db/ha"})


@pytest.mark.parametrize(
    ("header", "version"),
    [
        (None, (1, 0)),
        ("", (1, 0)),
        ("instance-ha", (1, 0)),
        ("instance-ha ", (1, 0)),
        ("instance-ha 1.2", (1, 2)),
        ("  instance-ha   1.2 ", (1, 2)),
        ("instance-ha latest", (1, 3)),
        ("compute 2.90,instance-ha 1.1", (1, 1)),
        ("compute 2.90", (1, 0)),
        ("masakari 1.2", (1, 0)),
        ("ha 1.2", (1, 0)),
        ("1.2", (1, 0)),
    ],
)
def test_the_microversion_is_the_one_of_instance_ha(header: str | None, version: tuple[int, int]) -> None:
    assert version == microversion.negotiate(header)


@pytest.mark.parametrize("version", ["0.9", "01.1", "1.01", "1.", ".1", "1", "abc", "1.1.1", "1.1 1.2", "\u0661.1"])
def test_a_malformed_microversion_is_a_bad_request(version: str) -> None:
    with pytest.raises(BadRequest):
        microversion.negotiate(f"instance-ha {version}")


@pytest.mark.parametrize("version", ["1.4", "1.10", "2.0", "10.0"])
def test_a_microversion_out_of_range_is_not_served(version: str) -> None:
    with pytest.raises(NotAcceptable):
        microversion.negotiate(f"instance-ha {version}")


@given(st.text())
def test_any_header_gives_a_served_version_or_a_refusal(header: str) -> None:
    with contextlib.suppress(BadRequest, NotAcceptable):
        assert microversion.LOWEST <= microversion.negotiate(header) <= microversion.HIGHEST


LATEST = microversion.HIGHEST


def _segment(version: tuple[int, int] = LATEST, **change: Any) -> NewSegment:
    body = {"name": "rack", "recovery_method": "auto", "service_type": "COMPUTE"} | change
    return read_body(CreateSegment, {"segment": body}, version).segment


def test_a_property_is_unknown_before_the_microversion_that_brought_it() -> None:
    with pytest.raises(BadRequest, match=r"enabled is not known before microversion 1\.2"):
        _segment((1, 1), enabled=True)
    assert _segment((1, 2), enabled=False).enabled is False


@pytest.mark.parametrize("word", ["True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes", True])
def test_a_true_word_is_true(word: Any) -> None:
    assert _segment(enabled=word).enabled is True


@pytest.mark.parametrize("word", ["False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no", False])
def test_a_false_word_is_false(word: Any) -> None:
    assert _segment(enabled=word).enabled is False


@pytest.mark.parametrize("word", ["y", "t", "tRuE", "", " true", 1, 0, 1.0, None, [], {}])
def test_anything_else_is_no_boolean(word: Any) -> None:
    with pytest.raises(BadRequest, match="enabled"):
        _segment(enabled=word)


@pytest.mark.parametrize("name", ["a", "rack 1", "Größe", "漢字", "x" * 255])
def test_a_printable_name_is_accepted(name: str) -> None:
    assert name == _segment(name=name).name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "\ta", "a\nb", "a\x00b", "a\x7fb", "😀", "\ud800", "x" * 256, None, 1]
)
def test_any_other_name_is_refused(name: Any) -> None:
    with pytest.raises(BadRequest, match="name"):
        _segment(name=name)


def test_a_description_may_have_lines_and_be_long_or_null() -> None:
    assert _segment(description="a\n" * 1000).description == "a\n" * 1000
    assert _segment(description=None).description is None


@pytest.mark.parametrize("text", ["a\tb", "a\rb", "\x00"])
def test_a_description_has_no_other_control_characters(text: str) -> None:
    with pytest.raises(BadRequest, match="description"):
        _segment(description=text)


def test_a_refusal_is_short_and_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(BadRequest) as raised:
        _segment(description="\x00" + "secret" * 10_000)
    assert len(str(raised.value)) < 200
    assert "secret" not in str(raised.value)


def test_an_unknown_property_is_refused_and_named() -> None:
    with pytest.raises(BadRequest, match="colour"):
        _segment(colour="red")


@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"host": {}}, {"segment": {}, "host": {}}])
def test_the_envelope_has_exactly_its_one_property(body: Any) -> None:
    with pytest.raises(BadRequest, match="segment"):
        read_body(CreateSegment, body, LATEST)


def test_an_update_holds_what_was_given_and_nothing_else() -> None:
    change = read_body(UpdateHost, {"host": {"reserved": "no"}}, LATEST).host
    assert change.given() == {"reserved": False}


def test_an_update_of_nothing_is_refused() -> None:
    with pytest.raises(BadRequest):
        read_body(UpdateHost, {"host": {}}, LATEST)


def _generated(time: Any) -> datetime:
    payload = {"event": "STOPPED"}
    body = {"type": "COMPUTE_HOST", "hostname": "c1", "generated_time": time, "payload": payload}
    return read_body(CreateNotification, {"notification": body}, LATEST).notification.generated_time


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T03:00:00",
        "2026-11-22 03:00:00.000000",
        "2026-11-22T03:00:00Z",
        "2026-11-22T04:00:00+01:00",
        "2026-11-21T22:00:00-0500",
        "20261122T030000",
    ],
)
def test_a_time_without_a_zone_is_utc_and_others_are_converted(text: str) -> None:
    assert datetime(2026, 11, 22, 3, tzinfo=UTC) == _generated(text)


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-13-01", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00", 1.5, 7, None, []]
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(BadRequest, match="generated_time"):
        _generated(value)


def _query(text: str) -> dict[str, list[str]]:
    return dict(Request(EnvironBuilder(query_string=text).get_environ()).args.lists())


def _page(text: str) -> Page:
    return read_query(ListQuery, _query(text)).page(1000)


@pytest.mark.parametrize("kind", [None, "HOST", 5, [], {}, "x" * 1000])
def test_a_notification_of_no_known_type_is_refused(kind: Any) -> None:
    with pytest.raises(BadRequest, match="type") as raised:
        read_body(CreateNotification, {"notification": {"type": kind, "payload": {}}}, LATEST)
    assert len(str(raised.value)) < 200


def test_without_parameters_a_list_is_as_long_as_it_may_be() -> None:
    assert (lambda page: (page.limit, page.marker, page.sort))(_page("")) == (1000, None, ())


def test_a_limit_is_never_more_than_the_most() -> None:
    assert _page("limit=100000").limit == 1000


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("sort_key=name", (("name", "desc"),)),
        ("sort_dir=asc", (("created_at", "asc"),)),
        ("sort_key=a&sort_key=b&sort_dir=asc", (("a", "asc"), ("b", "asc"))),
        ("sort_key=a&sort_key=b&sort_dir=asc&sort_dir=desc", (("a", "asc"), ("b", "desc"))),
    ],
)
def test_keys_without_a_direction_take_the_first_one(text: str, sort: tuple[tuple[str, str], ...]) -> None:
    assert sort == _page(text).sort


@pytest.mark.parametrize("text", ["limit=-1", "limit=", "limit=1.0", "limit=٣", "page_size=x", "sort_dir=up"])
def test_a_parameter_that_is_not_of_its_kind_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        _page(text)


def test_of_a_repeated_parameter_the_last_counts_and_unknown_ones_are_ignored() -> None:
    assert _page("limit=5&limit=7&colour=red").limit == 7


def test_what_a_list_adds_are_its_filters() -> None:
    page = read_query(HostsQuery, _query("type=COMPUTE&reserved=yes&limit=1")).page(10)
    assert page.filters == {"type": "COMPUTE", "reserved": True}


def test_a_parameter_that_is_no_column_is_no_filter() -> None:
    asked = read_query(NotificationsQuery, _query("generated-since=2026-11-22&type=VM"))
    assert asked.page(10, apart=frozenset({"generated_since"})).filters == {"type": "VM"}


@pytest.mark.parametrize("text", ["2026-11-22T04:00:00+01:00", "2026-11-22+03:00:00"])
def test_a_time_whose_plus_sign_became_a_blank_is_understood(text: str) -> None:
    asked = read_query(NotificationsQuery, _query(f"generated-since={text}"))
    assert datetime(2026, 11, 22, 3, tzinfo=UTC) == asked.generated_since


@pytest.mark.parametrize("word", ["1", "t", "True", "ON", "y", "yes"])
def test_a_boolean_filter_knows_the_words(word: str) -> None:
    assert read_query(HostsQuery, {"reserved": [word]}).reserved is True


class Echo(Body):
    """A body that is answered."""

    read: Any


def _echo(_: Call, asked: Echo) -> Echo:
    """Answer what was read."""
    return asked


class _Anybody:
    def check(self, environ: dict[str, Any]) -> Caller:
        return Caller("user", "0a", frozenset({"admin"}))


def _answer(build: Callable[[dict[str, Any]], None]) -> tuple[int, Any]:
    """Send a POST that a function serves by saying what it read."""
    environ = EnvironBuilder(path="/v1/echo", method="POST").get_environ()
    build(environ)
    world = cast("ApiWorld", SimpleNamespace(settings=SETTINGS, tokens=_Anybody(), for_invocation=lambda: None))
    api = Api([Route("/echo", {"POST": Operation(_echo, Echo, Echo)})])
    answer = api.answer(Request(environ), world, "req-1")
    return answer.status_code, json.loads(answer.get_data())


def _chunked(body: bytes) -> Callable[[dict[str, Any]], None]:
    def build(environ: dict[str, Any]) -> None:
        environ.pop("CONTENT_LENGTH", None)
        environ |= {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}

    return build


def test_a_body_without_a_length_is_read() -> None:
    assert _answer(_chunked(b'{"read": [1]}')) == (200, {"read": [1]})


class _Broken(BytesIO):
    """A body that cannot be read to its end, as a server tells it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(b"")
        self._error = error

    def read(self, *_: Any) -> bytes:
        raise self._error


@pytest.mark.parametrize("error", [InvalidChunkSize(b"xyz"), NoMoreData(), OSError("reset"), TimeoutError()])
def test_a_body_that_breaks_off_or_has_broken_chunks_is_a_bad_request(error: Exception) -> None:
    def build(environ: dict[str, Any]) -> None:
        _chunked(b"")(environ)
        environ["wsgi.input"] = _Broken(error)

    assert _answer(build)[0] == 400


def test_a_body_that_is_shorter_than_its_length_is_a_bad_request() -> None:
    def build(environ: dict[str, Any]) -> None:
        environ |= {"wsgi.input": BytesIO(b'{"read": [1]}'), "CONTENT_LENGTH": "200"}

    assert _answer(build)[0] == 400


def test_a_body_without_a_length_that_is_too_large_is_413() -> None:
    assert _answer(_chunked(b" " * 200_000))[0] == 413


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (CloudUnavailable("Keystone cannot be reached: http://10.0.0.5:5000/v3"), "Keystone or Nova is not available"),
        (CloudTimeout("Nova did not answer in time: https://nova.inner:8774"), "Keystone or Nova is not available"),
        (StoreUnavailable("Postgres: a row stays locked"), "Postgres: a row stays locked"),
    ],
)
def test_an_answer_503_tells_no_inner_address_and_when_to_try_again(error: TryAgain, shown: str) -> None:
    answer = faults.unavailable(error)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    text = answer.get_data(as_text=True)
    assert shown in text
    assert not re.search(r"10\.0|inner|http", text)


def test_without_a_token_the_body_is_not_read() -> None:
    world = cast("ApiWorld", SimpleNamespace(settings=SETTINGS, tokens=SimpleNamespace(check=_refuse)))
    environ = EnvironBuilder(path="/v1/echo", method="POST").get_environ() | {"CONTENT_LENGTH": "4"}
    body = environ["wsgi.input"] = BytesIO(b"body")
    api = Api([Route("/echo", {"POST": Operation(_echo, Echo, Echo)})])
    assert api.answer(Request(environ), world, "req-1").status_code == 401
    assert body.tell() == 0


def test_keystones_public_address_is_told_where_it_is_set() -> None:
    settings = SETTINGS.model_copy(update={"www_authenticate_uri": "https://id.example"})
    world = cast("ApiWorld", SimpleNamespace(settings=settings, tokens=SimpleNamespace(check=_refuse)))
    answer = Api([Route("/echo", {})]).answer(Request(EnvironBuilder(path="/v1/echo").get_environ()), world, "req-1")
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="https://id.example"'


def _refuse(_: dict[str, Any]) -> Caller:
    raise Unauthorized("no token")
