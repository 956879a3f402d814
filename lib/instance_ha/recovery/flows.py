"""The tasks of each recovery flow: ours, or those of the operator's file (reference, section 5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit

from instance_ha.decide import flow_file
from instance_ha.decide.flows import Flow
from instance_ha.models.custom import CustomTask
from instance_ha.models.errors import Misconfigured
from instance_ha.recovery.context import Task
from instance_ha.recovery.tasks.confirm_compute_node_disabled import confirm_compute_node_disabled
from instance_ha.recovery.tasks.confirm_instance_active import confirm_instance_active
from instance_ha.recovery.tasks.disable_compute_node import disable_compute_node
from instance_ha.recovery.tasks.disable_compute_service import disable_compute_service
from instance_ha.recovery.tasks.evacuate_instances import evacuate_instances
from instance_ha.recovery.tasks.no_op import no_op
from instance_ha.recovery.tasks.prepare_instances import prepare_instances
from instance_ha.recovery.tasks.start_instance import start_instance
from instance_ha.recovery.tasks.stop_instance import stop_instance
from instance_ha.recovery.tasks.third_party import third_party
from instance_ha.recovery.tasks.url_task import url_task
from instance_ha.settings import Settings

GROUP = "instance_ha.tasks"
_SPARE = 5.0  # seconds of an invocation that are not a task's


@dataclass(frozen=True)
class Entry:
    """A task, and the name by which the API shows it."""

    name: str
    task: Task


OURS: Mapping[str, Entry] = {
    "disable_compute_service_task": Entry("DisableComputeServiceTask", disable_compute_service),
    "prepare_HA_enabled_instances_task": Entry("PrepareHAEnabledInstancesTask", prepare_instances),
    "evacuate_instances_task": Entry("EvacuateInstancesTask", evacuate_instances),
    "stop_instance_task": Entry("StopInstanceTask", stop_instance),
    "start_instance_task": Entry("StartInstanceTask", start_instance),
    "confirm_instance_active_task": Entry("ConfirmInstanceActiveTask", confirm_instance_active),
    "disable_compute_node_task": Entry("DisableComputeNodeTask", disable_compute_node),
    "confirm_compute_node_disabled_task": Entry("ConfirmComputeNodeDisabledTask", confirm_compute_node_disabled),
    "no_op": Entry("Noop", no_op),
}
ACHIEVING = frozenset(entry.name for entry in OURS.values() if entry.task is not no_op)  # names; others only watch

_DEFAULT: Mapping[Flow, tuple[str, ...]] = {
    Flow.HOST_AUTO: ("disable_compute_service_task", "prepare_HA_enabled_instances_task", "evacuate_instances_task"),
    Flow.HOST_RESERVED: (
        "disable_compute_service_task",
        "prepare_HA_enabled_instances_task",
        "evacuate_instances_task",
    ),
    Flow.INSTANCE: ("stop_instance_task", "start_instance_task", "confirm_instance_active_task"),
    Flow.PROCESS: ("disable_compute_node_task", "confirm_compute_node_disabled_task"),
}


@dataclass(frozen=True)
class Flows:
    """The tasks of each flow in order, and every task, by the names that the API shows."""

    names: Mapping[Flow, tuple[str, ...]]
    tasks: Mapping[str, Task]


@cache
def load(settings: Settings) -> Flows:
    """Read the flows of an installation.

    Raises:
        Misconfigured: what is wrong with the operator's file or with a task that it names.

    """
    if settings.recovery_flows_file is None:
        return _flows(OURS, _DEFAULT)
    try:
        text = settings.recovery_flows_file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"the file of recovery_flows_file cannot be read: {error}") from None
    points = {point.name: point for point in entry_points(group=GROUP)}
    file = flow_file.read(text, lambda name: name in OURS or name in points or _is_url(name))
    entries, problems = dict(OURS), [f"{settings.recovery_flows_file.name}: {problem}" for problem in file.problems]
    for name in sorted({name for names in file.flows.values() for name in names} - set(OURS)):
        if _is_url(name):
            entries[name] = Entry(_shown(name), url_task(name, _shown(name)))
        elif name in points:
            try:
                entries[name] = _third_party(points[name], settings.invocation_time - _SPARE)
            except Misconfigured as error:
                problems.append(str(error))
    problems += _ambiguous(entries)
    if problems:
        raise Misconfigured(*problems)
    return _flows(entries, {**_DEFAULT, **file.flows})


def _flows(entries: Mapping[str, Entry], flows: Mapping[Flow, tuple[str, ...]]) -> Flows:
    return Flows(
        {flow: tuple(entries[name].name for name in names) for flow, names in flows.items()},
        {entry.name: entry.task for entry in entries.values()},
    )


def _third_party(point: EntryPoint, longest: float) -> Entry:
    """Load a task of another package; only those that a flow names are loaded."""
    what = f"task {point.name} ({point.value})"
    try:
        made = point.load()
        custom = made() if isinstance(made, type) else made
    except Exception as error:  # somebody else's code, at start: say whose, and do not go on
        raise Misconfigured(f"{what} cannot be loaded: {error}") from None
    if (defect := _defect(custom, longest)) is not None:
        raise Misconfigured(f"{what}: {defect}")
    return Entry(custom.name, third_party(custom))


def _defect(custom: CustomTask | Any, longest: float) -> str | None:
    """Say what is wrong with a task of another package."""
    name, limit, retries = (getattr(custom, key, None) for key in ("name", "time_limit", "retries"))
    if not callable(getattr(custom, "run", None)):
        return "it has no method run(facts, report)"
    if not isinstance(name, str) or not 0 < len(name) <= 255:
        return "its name must be a text of 1 to 255 characters"
    if not isinstance(limit, (int, float)) or not 0 < limit <= longest:
        return f"its time_limit must be at most {longest:g} s (invocation_time less {_SPARE:g} s); longer ones by URL"
    if not isinstance(retries, int) or retries < 0:
        return "its retries must be 0 or more"
    return None


def _ambiguous(entries: Mapping[str, Entry]) -> list[str]:
    names = [entry.name for entry in entries.values()]
    return [f"two tasks are shown as {name}" for name in sorted({name for name in names if names.count(name) > 1})]


def _is_url(name: str) -> bool:
    return name.startswith(("http://", "https://")) and bool(urlsplit(name).hostname)


def _shown(url: str) -> str:
    """Show of a URL what holds no secret."""
    parts = urlsplit(url)
    return f"{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"[:255]
