"""The one mask, of logs, events and answers."""

import json

import pytest
from instance_ha import masking
from instance_ha.models.errors import Misconfigured


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://ha:s3cret@db/ha",
        "password=s3cret",
        "{'password': 's3cret'}",
        'sent {"X-Auth-Token": "s3cret"}',
        json.dumps({"body": json.dumps({"auth": {"password": "s3cret"}})}),
        "api_key=s3cret, and more",
        "Authorization: Bearer s3cret",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    assert "s3cret" not in masking.masked(text)
    assert masking.MASK in masking.masked(text)


def test_a_hidden_word_is_masked_wherever_it_stands_and_the_longest_first() -> None:
    masking.hide({"a sink": ["http://sink/hidden-word", "hidden-word", ""]})
    assert masking.masked("http://sink/hidden-word, or hidden-word") == "***, or ***"


def test_a_secret_that_is_too_short_to_be_masked_is_refused_and_said_by_its_name() -> None:
    with pytest.raises(Misconfigured, match=r"^the password is shorter than 6 characters") as raised:
        masking.hide({"the password": ["of-ok"]})
    assert "of-ok" not in str(raised.value)
    assert masking.masked("of-ok") == "of-ok"


@pytest.mark.parametrize("text", ["the bearer token of the scheduler", "no password is set", "the secret trigger-key"])
def test_prose_about_secrets_stays(text: str) -> None:
    assert masking.masked(text) == text
