"""Signature and codec together: what a function accepts as work, and what it refuses."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.models.errors import BadRequest, Forbidden
from instance_ha.models.triggers import RECOVER_HOST, RECOVER_INSTANCE, Trigger
from instance_ha.triggers import signature
from instance_ha.triggers.codec import decode, encode, encode_task, read
from instance_ha_simulator.brokers import rewritten

from tests.unit.build import NOW

KEY, OLD_KEY = b"new key", b"old key"
TRIGGER = Trigger(RECOVER_HOST, "9f0b4a2c", "req-1")


def _decode(headers: dict[str, str], body: bytes, keys: tuple[bytes, ...] = (KEY,), now: datetime = NOW) -> Trigger:
    return decode(headers, body, [RECOVER_HOST], keys, lambda: now, 900)


def _structured(**change: Any) -> tuple[dict[str, str], bytes]:
    headers, body = encode(TRIGGER, NOW, KEY)
    attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    event = attributes | {"data": json.loads(body)} | change
    return {"Content-Type": "application/cloudevents+json"}, json.dumps(event).encode()


def test_what_was_encoded_is_decoded() -> None:
    assert _decode(*encode(TRIGGER, NOW, KEY)) == TRIGGER


def test_work_without_a_request_id_stays_without() -> None:
    work = Trigger(RECOVER_HOST, "9f0b4a2c")
    assert work == _decode(*encode(work, NOW, KEY))


def test_an_event_is_sent_in_binary_mode() -> None:
    headers, body = encode(TRIGGER, NOW, KEY)
    assert headers["ce-type"] == "org.openstack.instanceha.recover-host"
    assert headers["ce-specversion"] == "1.0"
    assert json.loads(body) == {"uuid": "9f0b4a2c"}


def test_an_event_in_structured_mode_is_accepted() -> None:
    assert _decode(*_structured()) == TRIGGER


@pytest.mark.parametrize("microsecond", [0, 120000, 123456, 999999])
def test_an_event_that_a_broker_has_parsed_and_written_anew_is_accepted(microsecond: int) -> None:
    headers, body = encode(TRIGGER, NOW.replace(microsecond=microsecond), KEY)
    arrived = rewritten(headers)
    assert arrived["Ce-Time"] != headers["ce-time"]
    assert _decode(arrived, body) == TRIGGER


@pytest.mark.parametrize(
    "spelling", ["%Y-%m-%dT%H:%M:%S.120Z", "%Y-%m-%dT%H:%M:%S.120000000+00:00", "%Y-%m-%d %H:%M:%SZ"]
)
def test_the_same_second_in_another_spelling_is_the_same_time(spelling: str) -> None:
    headers, body = encode(TRIGGER, NOW.replace(microsecond=120000), KEY)
    assert _decode(headers | {"ce-time": NOW.strftime(spelling)}, body) == TRIGGER
    assert _decode(*_structured(time=NOW.strftime(spelling))) == TRIGGER


@pytest.mark.parametrize("name", [str.lower, str.upper, str.title])
def test_header_names_are_accepted_in_any_case(name: Callable[[str], str]) -> None:
    headers, body = encode(TRIGGER, NOW, KEY)
    assert _decode({name(header): value for header, value in headers.items()}, body) == TRIGGER


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", ""])
def test_the_content_type_of_the_data_does_not_count(kind: str) -> None:
    headers, body = encode(TRIGGER, NOW, KEY)
    assert _decode(headers | {"content-type": kind}, body) == TRIGGER


@pytest.mark.parametrize("kind", ["application/cloudevents+json", "application/cloudevents+json; charset=UTF-8"])
def test_structured_mode_with_the_data_as_json_as_text_or_in_base64_is_accepted(kind: str) -> None:
    event = json.loads(_structured()[1])
    data = json.dumps(event.pop("data"))
    for form in ({"data": json.loads(data)}, {"data": data}, {"data_base64": b64encode(data.encode()).decode()}):
        assert _decode({"Content-Type": kind}, json.dumps(event | form).encode()) == TRIGGER


def test_attributes_that_a_broker_adds_do_not_count() -> None:
    more = {"traceparent": "00-aa-bb-00", "knativearrivaltime": "2026-11-26T11:37:00Z", "number": 5, "flag": True}
    assert _decode(*_structured(**more)) == TRIGGER


@pytest.mark.parametrize("identity", ["42-1-0", "é/ü 字", "100%", 'a "b"', "%41"])
def test_an_identity_of_any_characters_survives_headers_and_a_broker(identity: str) -> None:
    headers, body = encode_task(identity, {"notification_uuid": "42", "part": 1.0}, NOW, KEY)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    for sent in (headers, rewritten(headers)):
        attributes, data = read(sent, body)
        signature.check(attributes, data, [KEY], lambda: NOW, 60)
        assert attributes["id"] == identity


def test_utf_8_that_a_broker_left_in_a_header_is_read() -> None:
    headers, body = encode_task("é字", {"notification_uuid": "42"}, NOW, KEY)
    attributes, data = read(headers | {"ce-id": "é字".encode().decode("latin-1")}, body)
    signature.check(attributes, data, [KEY], lambda: NOW, 60)


def test_a_number_that_an_sdk_has_spelled_otherwise_is_the_same() -> None:
    headers, _ = encode_task("1", {"notification_uuid": "42", "share": 1.0, "list": [2, {"x": 3.5}]}, NOW, KEY)
    attributes, data = read(headers, b'{"list":[2.0,{"x":3.50}],"share":1,"notification_uuid":"42"}')
    signature.check(attributes, data, [KEY], lambda: NOW, 60)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
@pytest.mark.parametrize("name", ["id", "type", "subject", "requestid", "signature", "anything", "data"])
def test_an_event_with_what_no_database_stores_is_a_bad_request(name: str, text: str) -> None:
    with pytest.raises(BadRequest):
        _decode(*_structured(**{name: {"uuid": text} if name == "data" else text}))


@pytest.mark.parametrize("name", ["ce-subject", "ce-id", "ce-type"])
def test_a_nul_behind_percents_in_a_header_is_a_bad_request(name: str) -> None:
    headers, body = encode(TRIGGER, NOW, KEY)
    with pytest.raises(BadRequest):
        _decode(headers | {name: "a%00b"}, body)


def test_an_event_signed_with_the_second_key_is_accepted() -> None:
    assert _decode(*encode(TRIGGER, NOW, OLD_KEY), keys=(KEY, OLD_KEY)) == TRIGGER


def test_an_event_signed_with_a_key_that_was_taken_away_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        _decode(*encode(TRIGGER, NOW, OLD_KEY))


def test_without_any_key_nothing_is_accepted() -> None:
    with pytest.raises(Forbidden):
        _decode(*encode(TRIGGER, NOW, KEY), keys=())


@pytest.mark.parametrize("change", ["id", "source", "subject", "requestid", "time"])
def test_an_altered_attribute_is_forbidden(change: str) -> None:
    value = (NOW + timedelta(seconds=1)).isoformat() if change == "time" else "altered"
    with pytest.raises(Forbidden):
        _decode(*_structured(**{change: value}))


@pytest.mark.parametrize("body", [b'{"uuid": "another"}', b"", b"{", b"[]", b'{"uuid": NaN}'])
def test_altered_data_is_refused(body: bytes) -> None:
    with pytest.raises((Forbidden, BadRequest)):
        _decode(encode(TRIGGER, NOW, KEY)[0], body)


def test_data_that_a_broker_has_written_anew_is_accepted() -> None:
    headers, _ = encode(TRIGGER, NOW, KEY)
    assert _decode(headers, b'{ "uuid" : "9f0b4a2c" }') == TRIGGER


def test_an_unsigned_event_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        _decode(*_structured(signature=None))


def test_a_signature_beyond_ascii_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        _decode(*_structured(signature="é"))


@pytest.mark.parametrize("seconds", [901, -61])
def test_an_event_from_too_long_ago_or_from_the_future_is_forbidden(seconds: int) -> None:
    with pytest.raises(Forbidden):
        _decode(*encode(TRIGGER, NOW, KEY), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [900, -60])
def test_an_event_at_the_limit_of_its_age_is_accepted(seconds: int) -> None:
    assert _decode(*encode(TRIGGER, NOW, KEY), now=NOW + timedelta(seconds=seconds)) == TRIGGER


def test_a_signed_event_without_a_valid_time_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        _decode(*_structured(time="yesterday"))


def test_a_signed_event_without_a_subject_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        _decode(*encode(Trigger(RECOVER_HOST, ""), NOW, KEY))


def test_an_event_of_another_kind_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        _decode(*encode(Trigger(RECOVER_INSTANCE, "9f0b4a2c"), NOW, KEY))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/cloudevents-batch+json", b"[]"),
        ("application/cloudevents-batch+json", b'[{"specversion":"1.0"}]'),
        ("application/cloudevents+json", b"[]"),
        ("application/cloudevents+json", b"null"),
        ("application/cloudevents+json", b'"text"'),
        ("application/cloudevents+json", b"{"),
        ("application/cloudevents+json", b"\xff"),
        ("application/cloudevents+json", b"{}"),
        ("application/json", b"{}"),
        ("text/plain", b""),
    ],
)
def test_what_is_no_single_event_is_a_bad_request(kind: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        _decode({"Content-Type": kind}, body)


def test_an_event_nested_too_deeply_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        _decode({"Content-Type": "application/cloudevents+json"}, b"[" * 200_000)


@given(st.dictionaries(st.sampled_from(["ce-id", "ce-type", "ce-time", "ce-specversion"]), st.text()), st.binary())
def test_whatever_is_sent_without_a_signature_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises((BadRequest, Forbidden)):
        _decode(headers, body)


@given(st.text(min_size=1), st.binary(min_size=1), st.binary(min_size=1))
def test_two_keys_never_give_the_same_signature(subject: str, one: bytes, other: bytes) -> None:
    same = one.ljust(64, b"\0") == other.ljust(64, b"\0")  # a key of HMAC is filled up with zeros
    signatures = [
        signature.sign({"subject": subject.encode("utf-8", "replace"), "time": str(NOW)}, None, key)
        for key in (one, other)
    ]
    assert same == (signatures[0] == signatures[1])
