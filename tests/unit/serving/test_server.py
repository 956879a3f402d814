"""Serving a function as its image does: real processes, real signals."""

import signal
import time
from pathlib import Path

import pytest
import requests
from instance_ha.models.metrics import TICKS
from instance_ha.serving import application
from instance_ha.serving.server import options
from instance_ha.store import counters
from instance_ha.store.database import Database

from tests.unit.serving.served import Serve


def test_an_instance_that_is_told_to_end_says_so_refuses_work_and_finishes_what_it_has(served: Serve) -> None:
    function = served(THREADS="1")
    work = function.later("/?seconds=2")

    function.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    ready, health, more = (function.get(path) for path in ("/_/ready", "/_/health", "/v1/segments"))

    assert (ready.status_code, health.status_code, more.status_code) == (503, 200, 503)
    assert more.headers["Retry-After"] == "1"
    assert more.json() == {"serviceUnavailable": {"code": 503, "message": "this instance is shutting down"}}
    assert not work.done()
    assert (work.result().status_code, work.result().text) == (200, "done")
    assert function.end()[0] == 0
    with pytest.raises(requests.ConnectionError):
        function.get("/_/health")


def test_an_idle_instance_ends_soon(served: Serve) -> None:
    function = served()

    function.process.send_signal(signal.SIGTERM)
    begun = time.monotonic()

    assert function.end()[0] == 0
    assert time.monotonic() - begun < 2


def test_work_that_outlasts_its_time_does_not_hold_an_instance_that_ends(served: Serve) -> None:
    function = served(exec_timeout="1s")
    work = function.later("/?seconds=15")

    function.process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    function.end()

    assert time.monotonic() - begun < 5
    with pytest.raises(requests.ConnectionError):
        work.result()


def test_a_burst_is_worked_off(served: Serve) -> None:
    function = served(THREADS="2")

    work = [function.pool.submit(function.get, "/?seconds=0.5") for _ in range(4)]

    assert [one.result().status_code for one in work] == [200] * 4


def test_a_busy_instance_is_alive_and_refuses_what_would_have_to_wait_for_long(served: Serve) -> None:
    function = served(THREADS="1")
    work = function.later("/?seconds=4")
    begun = time.monotonic()

    waits = function.later("/")
    refused, health = function.get("/"), function.get("/_/health")
    assert time.monotonic() - begun < 1.5

    assert health.status_code == 200
    assert [(one.status_code, one.headers["Retry-After"]) for one in (refused, waits.result())] == [(503, "1")] * 2
    assert time.monotonic() - begun < 3.5
    assert work.result().status_code == 200
    assert function.get("/").status_code == 200


def test_neither_a_body_nor_a_token_nor_a_query_is_logged(served: Serve) -> None:
    function = served()
    said = {"headers": {"X-Auth-Token": "gAAAA-secret"}, "data": "the-body"}

    assert function.get("/?name=the-query", **said).text == "the-body"
    assert function.get("/fail?name=the-query", **said).status_code == 500
    function.process.send_signal(signal.SIGTERM)
    code, output = function.end()

    assert code == 0
    assert [word for word in ("gAAAA-secret", "the-body", "the-query") if word in output] == []


def test_a_process_that_dies_is_replaced(served: Serve) -> None:
    function = served()

    with pytest.raises(requests.ConnectionError):
        function.get("/die")
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if function.get("/").text == "done":
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    pytest.fail("nobody answers")


def test_headers_longer_than_openstack_takes_are_refused(served: Serve) -> None:
    function = served()

    assert function.get("/", headers={"X-Auth-Token": "a" * 15000}).status_code == 200
    assert function.get("/", headers={"X-Auth-Token": "a" * 17000}).status_code == 431


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"THREADS": "many"}, "THREADS: 'many' is not a number from 1 to 1000"),
        ({"PORT": "0"}, "PORT: '0' is not a number from 1 to 65535"),
        ({"exec_timeout": "soon"}, "exec_timeout: 'soon' is not a duration"),
    ],
)
def test_a_wrong_variable_stops_the_start_with_one_line(served: Serve, variables: dict[str, str], words: str) -> None:
    code, output = served(**variables).end()

    assert (code, output.count("\n")) == (1, 1)
    assert words in output


@pytest.mark.parametrize(("name", "value"), [("PORT", "65536"), ("THREADS", "1001"), ("PORT", "9" * 5000)])
def test_a_number_that_is_too_large_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: '{value}' is not a number from 1 to "):
        options({name: value})


def test_a_folder_without_one_function_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text("def answer(request):\n    return ''\n")

    with pytest.raises(ValueError, match="needs one function"):
        application.target(source)


def test_every_function_of_ours_is_found() -> None:
    folders = [path for path in (Path(__file__).parents[3] / "functions").iterdir() if (path / "main.py").exists()]

    assert {application.target(folder / "main.py") for folder in folders} == {f.name.replace("-", "_") for f in folders}


CRON = """
import functions_framework
from instance_ha.composition import Composition
from instance_ha.serving import cron_function

def work(world):
    with open({file!r}, "a") as file:
        file.write("tick ")

FUNCTION = cron_function("any", work, Composition.sweep, events=False, tick_at_start=True)

@functions_framework.http
def answer(request):
    return FUNCTION(request)
"""


def test_a_new_instance_that_shall_not_wait_for_its_scheduler_ticks_by_itself(served: Serve, tmp_path: Path) -> None:
    file = tmp_path / "ticks"
    (tmp_path / "main.py").write_text(CRON.format(file=str(file)))
    (tmp_path / "cron-token").write_text("a-token-of-the-scheduler\n")
    served(DATABASE_URL="postgresql://ha@127.0.0.1:1/ha", INSTANCE_HA_SECRETS_DIR=str(tmp_path))

    until = time.monotonic() + 20
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.05)

    assert file.read_text() == "tick "


def test_what_an_instance_has_counted_is_in_postgres_when_it_has_ended(
    served: Serve, tmp_path: Path, database: Database, database_url: str
) -> None:
    (tmp_path / "main.py").write_text(CRON.format(file=str(tmp_path / "ticks")))
    function = served(DATABASE_URL=database_url, INSTANCE_HA_SECRETS_DIR=str(tmp_path / "none"))
    assert [requests.post(f"http://127.0.0.1:{function.port}/", timeout=60).status_code for _ in range(2)] == [204, 204]

    function.process.send_signal(signal.SIGTERM)

    assert function.end()[0] == 0
    ticks = (tmp_path / "ticks").read_text().count("tick")
    with database.begin() as connection:
        assert counters.read(connection)[TICKS.series(function="any")] == ticks >= 2
