import os
import subprocess
import sys

import pytest

from local.files import repository
from local.proxies import without_proxies

PROXY = {"http_proxy": "http://proxy:3128"}


@pytest.mark.parametrize(
    ("given", "bypassed"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "example.org, localhost"}, "example.org,localhost,127.0.0.1"),
        ({"no_proxy": "example.org", "NO_PROXY": "elsewhere"}, "example.org,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_proxies_stand_before_all_but_loopback_and_what_was_excepted_before(
    given: dict[str, str], bypassed: str
) -> None:
    environ = without_proxies(PROXY | given)
    assert environ == PROXY | {"no_proxy": bypassed, "NO_PROXY": bypassed}
    assert without_proxies(environ) == environ


def test_an_environment_without_proxies_stays_as_it_is() -> None:
    assert without_proxies({"A": "b", "HTTP_PROXY": ""}) == {"A": "b", "HTTP_PROXY": ""}


def test_a_program_begins_anew_once_with_its_arguments_where_a_proxy_stands_before_loopback() -> None:
    program = """
import os, sys
from local.proxies import restart_without_proxies
print(os.getpid(), os.environ["NO_PROXY"], sys.argv[1:], flush=True)
restart_without_proxies()
"""
    environ = os.environ | PROXY | {"NO_PROXY": "example.org", "no_proxy": ""}
    command = [sys.executable, "-c", program, "up", "--port=0"]
    done = subprocess.run(command, cwd=repository(), env=environ, capture_output=True, text=True, check=True)
    first, second = (line.split(maxsplit=2) for line in done.stdout.splitlines())
    assert (first[1], second[1]) == ("example.org", "example.org,127.0.0.1,localhost")
    assert first[0::2] == second[0::2] == [first[0], "['up', '--port=0']"]
