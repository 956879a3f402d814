"""Signature and codec together: what a function accepts as work, and what it refuses."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.models.errors import BadRequest, Forbidden
from instance_ha.models.triggers import RECOVER_HOST, RECOVER_INSTANCE, Trigger
from instance_ha.triggers import signature
from instance_ha.triggers.codec import decode, encode

from tests.unit.build import NOW

KEY, OLD_KEY = b"new key", b"old key"
TRIGGER = Trigger(RECOVER_HOST, "9f0b4a2c", "req-1")


def _decode(headers: dict[str, str], body: bytes, keys: tuple[bytes, ...] = (KEY,), now: datetime = NOW) -> Trigger:
    return decode(headers, body, [RECOVER_HOST], keys, now, 900)


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


def test_header_names_in_capitals_are_accepted() -> None:
    headers, body = encode(TRIGGER, NOW, KEY)
    assert _decode({name.title(): value for name, value in headers.items()}, body) == TRIGGER


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
    attributes = {"id": "1", "time": "yesterday"}
    signed = attributes | {signature.ATTRIBUTE: signature.sign(attributes, {}, KEY)}
    with pytest.raises(BadRequest):
        signature.check(signed, {}, [KEY], NOW, 900)


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
    signatures = [signature.sign({"subject": subject.encode("utf-8", "replace")}, None, key) for key in (one, other)]
    assert same == (signatures[0] == signatures[1])
