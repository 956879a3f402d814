"""What others may build on: names and signatures that change only with a line in the changelog."""

import inspect
from typing import Any

from instance_ha import custom, serving
from instance_ha_simulator import testing


def surface(module: Any) -> dict[str, str]:
    """Return the public names of a module, each with its signature where it can be called."""
    found = {name: getattr(module, name) for name in module.__all__}
    return {
        name: str(inspect.signature(what)) if inspect.isfunction(what) or inspect.isclass(what) else "a value"
        for name, what in found.items()
    }


def test_authors_of_tasks_find_what_they_had() -> None:
    assert surface(custom) == {
        "CustomTask": "(function: collections.abc.Callable[[instance_ha.custom.TaskFacts, collections.abc.Callable"
        "[[float, str], None]], None], time_limit: float = 30.0, attempts: int = 1, required: bool = True) -> None",
        "ProgressCallback": "a value",
        "TaskFacts": "(notification_uuid: str, host_name: str, segment_name: str, flow: str, "
        "instance_uuid: str | None = None, process_name: str | None = None, reserved_hosts: tuple[str, ...] = ()) "
        "-> None",
        "TaskFunction": "a value",
        "custom_task": "(*, time_limit: float = 30.0, attempts: int = 1, required: bool = True) -> "
        "collections.abc.Callable[[collections.abc.Callable[[instance_ha.custom.TaskFacts, collections.abc.Callable"
        "[[float, str], None]], None]], instance_ha.custom.CustomTask]",
    }


def test_a_function_s_main_finds_what_it_calls() -> None:
    assert set(serving.__all__) == {
        "api_function",
        "console_function",
        "cron_function",
        "event_function",
        "monitor_function",
        "purge_function",
    }
    assert all(callable(getattr(serving, name)) for name in serving.__all__)


def test_authors_of_tasks_find_what_they_test_with() -> None:
    assert surface(testing) == {
        "ONE_HOST_FAILS": "a value",
        "Databases": "(server: instance_ha_simulator.postgres.Postgres) -> None",
        "Recovery": "(status: str, message: str | None, progress: collections.abc.Mapping[str, list[str]], "
        "log: list[str], seconds: float) -> None",
        "databases": "(url: str | None = None) -> collections.abc.Iterator[instance_ha_simulator.databases.Databases]",
        "recover": "(database_url: str, flows: str, world: collections.abc.Mapping[str, typing.Any] = "
        f"{testing.ONE_HOST_FAILS}) -> instance_ha_simulator.testing.Recovery",
    }
