"""How soon a page of the console begins to arrive, and how large it is, where there is as much as it has to show."""

import os
import re
import time

import requests
from instance_ha.store.database import Database
from instance_ha_simulator.files import temporary_state_dir

from bench import crowd
from bench.figures import Row, Samples
from local.runtime import Options, Runtime, without_cloud

_HOSTS, _RECOVERIES, _INSTANCES = 1000, 50, 500
_FIRST_BYTE, _SIZE = 200.0, 100.0  # ms, kB


def measure(runs: int) -> tuple[list[Row], str]:
    """Ask for each page several times, as a browser does that has logged in; the first time is not counted."""
    with temporary_state_dir() as folder:
        options = Options(folder, 0, durable=False, settings={"log_level": "ERROR"}, environ=without_cloud(os.environ))
        with Runtime(options) as runtime:
            database = Database(runtime.database_url)
            with database.begin() as connection:
                uuid = crowd.add(connection, _HOSTS, _RECOVERIES, _INSTANCES)
            browser = _logged_in(runtime)
            rows = []
            for name, path in _pages(uuid).items():
                rows += _rows(name, [_asked(browser, f"{runtime.url}{path}") for _ in range(runs + 1)][1:])
            database.close()
    beside = f"{_HOSTS:,} hosts, {_RECOVERIES} recoveries in work with {_INSTANCES} instances each"
    return rows, f"Pages of the console beside {beside}, all functions and the gateway in one process."


def _pages(uuid: str) -> dict[str, str]:
    return {
        "overview": "/console/",
        "recovery": f"/console/recoveries/{uuid}",
        "incident": f"/console/incidents/{uuid}",
        "host": f"/console/hosts/{uuid}",
        "hosts": "/console/hosts",
    }


def _logged_in(runtime: Runtime) -> requests.Session:
    browser = requests.Session()
    browser.trust_env = False
    login, admin = f"{runtime.url}/console/login", runtime.cloud.identity.users["admin"]
    key = re.search(r'name="form_key" value="([^"]+)"', browser.get(login, timeout=30).text)
    assert key is not None
    fields = {"form_key": key[1], "user": "admin", "password": admin.password, "project": "admin"}
    domains = {"user_domain": "Default", "project_domain": "Default"}
    browser.post(login, fields | domains, timeout=30).raise_for_status()
    return browser


def _asked(browser: requests.Session, url: str) -> tuple[float, float]:
    """Return the milliseconds to the first byte, and the kilobytes of all."""
    begun = time.perf_counter()
    with browser.get(url, stream=True, timeout=30) as answer:
        answer.raise_for_status()
        first = answer.raw.read(1)
        arrived = time.perf_counter() - begun
        return 1000 * arrived, len(first + answer.raw.read()) / 1000


def _rows(name: str, asked: list[tuple[float, float]]) -> list[Row]:
    times, sizes = (Samples(tuple(one[at] for one in asked), unit, 0) for at, unit in ((0, "ms"), (1, "kB")))
    return [
        Row(f"console, {name}: to the first byte", times, aim=_FIRST_BYTE, aim_is_ratio=False),
        Row(f"console, {name}: size", sizes, aim=_SIZE, aim_is_ratio=False),
    ]
