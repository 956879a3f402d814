import json
import os
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from instance_ha.models.errors import Misconfigured
from instance_ha_simulator.embedded import PostgresError
from instance_ha_simulator.files import temporary_state_dir

from local.hosting import Isolated
from local.runtime import Options, Runtime, without_cloud

STACK = """
functions:
  api:
    handler: ./functions/api
    annotations: {instance-ha.route: '^/v1'}
  worker:
    handler: ./functions/worker
"""
API = """
import os, time, functions_framework

@functions_framework.http
def api(request):
    time.sleep(float(request.args.get("seconds", 0)))
    names = ("INSTANCE_HA_TRIGGER_SINK", "INSTANCE_HA_SECRETS_DIR", "INSTANCE_HA_LOG_LEVEL",
             "OS_CLOUD", "OS_CLIENT_CONFIG_FILE")
    return {name: os.environ.get(name) for name in names}
"""
WORKER = """
import functions_framework

@functions_framework.http
def worker(request):
    return "", 204
"""


@pytest.fixture
def state() -> Iterator[Path]:
    with temporary_state_dir() as folder:
        yield folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A stack of two functions that need nothing."""
    for name, text in (("api", API), ("worker", WORKER)):
        (tmp_path / "functions" / name).mkdir(parents=True)
        (tmp_path / "functions" / name / "main.py").write_text(text)
    (tmp_path / "stack.yml").write_text(STACK)
    return tmp_path / "stack.yml"


@pytest.fixture
def run(state: Path, small: Path, database_url: str) -> Callable[..., Runtime]:
    """Makes a runtime on a database that is there already, which is quicker; with further variables."""

    def make(variables: dict[str, str] | None = None, **options: Any) -> Runtime:
        environ = without_cloud(os.environ) | {"DATABASE_URL": database_url} | (variables or {})
        return Runtime(Options(state, **({"port": 0} | options), environ=environ, stack=small))

    return make


def get(url: str) -> dict[str, str]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        seen: dict[str, str] = json.load(answer)
        return seen


def test_functions_find_their_secrets_their_sink_and_a_cloud(run: Callable[..., Runtime], state: Path) -> None:
    with run(hosting=Isolated, settings={"log_level": "ERROR"}) as runtime:
        seen = get(f"{runtime.url}/v1")

        assert seen["INSTANCE_HA_TRIGGER_SINK"].endswith("/async-function/{function}")
        assert seen["INSTANCE_HA_SECRETS_DIR"] == str(state / "secrets")
        assert seen["INSTANCE_HA_LOG_LEVEL"] == "ERROR"
        assert seen["OS_CLOUD"] == "masakari"
        assert seen["OS_CLIENT_CONFIG_FILE"] == str(state / "clouds.yaml")
        for file in ("clouds.yaml", "secrets/trigger-key", "secrets/database-url"):
            assert stat.S_IMODE((state / file).stat().st_mode) == 0o600


def test_the_environment_of_this_process_stays_as_it_is(run: Callable[..., Runtime]) -> None:
    before = dict(os.environ)

    with run(settings={"log_level": "ERROR"}) as runtime:
        given = {name: value for name, value in os.environ.items() if not name.startswith("FUNCTION_")}
        assert given == {name: value for name, value in before.items() if not name.startswith("FUNCTION_")}
        assert runtime.environ["INSTANCE_HA_LOG_LEVEL"] == "ERROR"


def test_a_cloud_of_the_environment_is_used_as_it_is(run: Callable[..., Runtime], state: Path, tmp_path: Path) -> None:
    auth = {"auth_url": "http://127.0.0.1:1/v3", "username": "u", "password": "pass-word", "project_name": "p"}
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"real": {"auth": auth}}}))
    variables = {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"), "OS_CLOUD": "real"}

    with run(variables, hosting=Isolated) as runtime:
        assert get(f"{runtime.url}/v1")["OS_CLOUD"] == "real"
        assert runtime.cloud is None
        assert not (state / "clouds.yaml").exists()


def test_a_cloud_that_is_not_configured_is_told_at_the_start(run: Callable[..., Runtime], tmp_path: Path) -> None:
    (tmp_path / "clouds.yaml").write_text("clouds: {}\n")
    variables = {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"), "OS_CLOUD": "missing"}

    with pytest.raises(Misconfigured, match="no usable cloud"):
        run(variables).start()


def test_the_event_key_stays_the_same_across_starts(run: Callable[..., Runtime], state: Path) -> None:
    with run():
        first = (state / "secrets/trigger-key").read_text()
    with run():
        assert (state / "secrets/trigger-key").read_text() == first != ""


def test_events_can_be_sent_while_every_thread_of_the_public_port_is_busy(run: Callable[..., Runtime]) -> None:
    with run() as runtime, ThreadPoolExecutor(60) as pool:
        calls = [pool.submit(get, f"{runtime.url}/v1?seconds=1.5") for _ in range(60)]
        sink = runtime.environ["INSTANCE_HA_TRIGGER_SINK"].replace("{function}", "worker")

        with urllib.request.urlopen(sink, data=b"event", timeout=1) as answer:
            assert answer.status == 202
        assert not all(call.done() for call in calls)
        assert all("OS_CLOUD" in call.result() for call in calls)


def test_a_port_that_is_taken_is_told_before_anything_is_started(run: Callable[..., Runtime], state: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(OSError, match=f"port {port} cannot be used"):
            run(port=port).start()

    assert not (state / "secrets").exists()


def test_a_database_that_cannot_be_used_is_told_without_its_password(run: Callable[..., Runtime]) -> None:
    with pytest.raises(PostgresError, match="cannot be used: connection failed") as error:
        run({"DATABASE_URL": "postgresql://user:hidden@127.0.0.1:1/none"}).start()

    assert "hidden" not in str(error.value)
    assert "\n" not in str(error.value)


def test_an_embedded_postgres_is_started_and_stopped_with_it(state: Path, small: Path) -> None:
    with Runtime(Options(state, port=0, durable=False, environ=without_cloud(os.environ), stack=small)) as runtime:
        assert runtime.postgres is not None
        with psycopg.connect(runtime.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM failover_segments").fetchone() == (0,)

    assert not runtime.postgres.running


def test_a_start_that_fails_stops_what_it_has_started(state: Path, small: Path) -> None:
    (small.parent / "functions/worker/main.py").write_text(f"{WORKER}\nraise RuntimeError('broken')\n")
    runtime = Runtime(Options(state, port=0, durable=False, environ=without_cloud(os.environ), stack=small))

    with pytest.raises(RuntimeError, match="broken"):
        runtime.start()

    assert runtime.postgres is not None
    assert not runtime.postgres.running
    with pytest.raises(urllib.error.URLError):
        get(f"{runtime.url}/healthz")
