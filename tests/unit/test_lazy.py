"""Values that are made at their first use."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from instance_ha.lazy import lazy


class Client:
    """Something costly."""

    made = 0

    def __init__(self) -> None:
        time.sleep(0.05)
        type(self).made += 1

    def ask(self) -> str:
        return "answer"


def test_it_is_made_at_its_first_use_and_once_however_many_use_it_at_once() -> None:
    Client.made = 0
    client = lazy(Client)
    assert Client.made == 0

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.ask(), range(32)))

    assert answers == ["answer"] * 32
    assert Client.made == 1


def test_what_could_not_be_made_is_tried_again_at_the_next_use() -> None:
    errors = [ValueError("not yet")]

    def make() -> Client:
        if errors:
            raise errors.pop()
        return Client()

    client = lazy(make)
    with pytest.raises(ValueError, match="not yet"):
        client.ask()
    assert client.ask() == "answer"
