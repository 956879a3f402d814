"""What others may build on: names and signatures that change only with a line in the changelog."""

import inspect
from typing import Any

from instance_ha import custom, serving


def surface(module: Any) -> dict[str, str]:
    """Return the public names of a module, each with its signature where it can be called."""
    found = {name: getattr(module, name) for name in module.__all__}
    return {
        name: str(inspect.signature(what)) if inspect.isfunction(what) or inspect.isclass(what) else "a type"
        for name, what in found.items()
    }


def test_authors_of_tasks_find_what_they_had() -> None:
    assert surface(custom) == {
        "CustomTask": "(function: collections.abc.Callable[[instance_ha.custom.TaskFacts, collections.abc.Callable"
        "[[float, str], None]], None], time_limit: float = 30.0, attempts: int = 1, required: bool = True) -> None",
        "ProgressCallback": "a type",
        "TaskFacts": "(notification_uuid: str, host_name: str, segment_name: str, flow: str, "
        "instance_uuid: str | None = None, process_name: str | None = None, reserved_hosts: tuple[str, ...] = ()) "
        "-> None",
        "TaskFunction": "a type",
        "custom_task": "(*, time_limit: float = 30.0, attempts: int = 1, required: bool = True) -> "
        "collections.abc.Callable[[collections.abc.Callable[[instance_ha.custom.TaskFacts, collections.abc.Callable"
        "[[float, str], None]], None]], instance_ha.custom.CustomTask]",
    }


def test_a_function_s_main_finds_what_it_calls() -> None:
    assert set(serving.__all__) == {
        "api_and_cron_function",
        "api_function",
        "cron_function",
        "event_function",
        "monitor_function",
    }
    assert all(callable(getattr(serving, name)) for name in serving.__all__)
