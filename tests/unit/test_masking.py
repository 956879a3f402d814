"""The one mask, of logs, events and answers."""

import json

import pytest
from instance_ha import masking


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
    masking.hide("http://sink/hidden-word", "hidden-word")
    assert masking.masked("http://sink/hidden-word, or hidden-word") == "***, or ***"


def test_a_word_of_three_characters_hides_nothing() -> None:
    masking.hide("was")
    assert masking.masked("it was so") == "it was so"


@pytest.mark.parametrize("text", ["the bearer token of the scheduler", "no password is set", "the secret trigger-key"])
def test_prose_about_secrets_stays(text: str) -> None:
    assert masking.masked(text) == text
