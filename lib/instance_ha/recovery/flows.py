"""The tasks of each recovery flow, and where each task is found."""

from collections.abc import Mapping
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import urlsplit

from instance_ha.custom import CustomTask
from instance_ha.models.enums import Flow
from instance_ha.models.errors import Misconfigured
from instance_ha.models.fencing import FencePolicy
from instance_ha.recovery import flow_file
from instance_ha.recovery.recovery import Task
from instance_ha.recovery.tasks.custom import run_custom
from instance_ha.recovery.tasks.disable_compute_node import confirm_compute_node_disabled, disable_compute_node
from instance_ha.recovery.tasks.disable_compute_service import disable_compute_service
from instance_ha.recovery.tasks.evacuate_instances import evacuate_instances
from instance_ha.recovery.tasks.fence_host import fence_host
from instance_ha.recovery.tasks.no_op import no_op
from instance_ha.recovery.tasks.prepare_instances import prepare_instances
from instance_ha.recovery.tasks.remote import run_remote
from instance_ha.recovery.tasks.restart_instance import confirm_instance_active, start_instance, stop_instance
from instance_ha.settings import Settings

ENTRY_POINTS = "instance_ha.tasks"

FENCE_TASK = "FenceHostTask"  # as rows and the API have it
_HOST = frozenset({Flow.HOST_AUTO, Flow.HOST_RESERVED})
_INSTANCE, _PROCESS = frozenset({Flow.INSTANCE}), frozenset({Flow.PROCESS})

# By the name in files of flows: the name that the API shows, what is done, and the flows that can have it.
_BUILT_IN: Mapping[str, tuple[str, Task, frozenset[Flow]]] = {
    "fence_host_task": (FENCE_TASK, fence_host, _HOST),
    "disable_compute_service_task": ("DisableComputeServiceTask", disable_compute_service, _HOST),
    "prepare_HA_enabled_instances_task": ("PrepareHAEnabledInstancesTask", prepare_instances, _HOST),
    "evacuate_instances_task": ("EvacuateInstancesTask", evacuate_instances, _HOST),
    "stop_instance_task": ("StopInstanceTask", stop_instance, _INSTANCE),
    "start_instance_task": ("StartInstanceTask", start_instance, _INSTANCE),
    "confirm_instance_active_task": ("ConfirmInstanceActiveTask", confirm_instance_active, _INSTANCE),
    "disable_compute_node_task": ("DisableComputeNodeTask", disable_compute_node, _PROCESS),
    "confirm_compute_node_disabled_task": ("ConfirmComputeNodeDisabledTask", confirm_compute_node_disabled, _PROCESS),
    "no_op": ("Noop", no_op, frozenset(Flow)),
}
_FENCE = "fence_host_task"
_EVACUATION = ("disable_compute_service_task", "prepare_HA_enabled_instances_task", "evacuate_instances_task")
DEFAULT: Mapping[Flow, tuple[str, ...]] = {
    Flow.HOST_AUTO: _EVACUATION,
    Flow.HOST_RESERVED: _EVACUATION,
    Flow.INSTANCE: ("stop_instance_task", "start_instance_task", "confirm_instance_active_task"),
    Flow.PROCESS: ("disable_compute_node_task", "confirm_compute_node_disabled_task"),
}


def shown_names(settings: Settings, flow: Flow, fence: FencePolicy = FencePolicy.NEVER) -> tuple[str, ...]:
    """Return the tasks of a flow, by the names that rows and the API have.

    Where the policy of the segment asks for it, a host is fenced first, or where an operator's flow has put that.
    """
    names = _flows(settings.recovery_flows_file, settings.invocation_time)[flow]
    if flow in _HOST and fence is not FencePolicy.NEVER and _FENCE not in names:
        names = (_FENCE, *names)
    return tuple(_BUILT_IN[name][0] if name in _BUILT_IN else name for name in names)


def find(name: str) -> Task:
    """Return what a task does, by its shown name.

    Raises:
        Misconfigured: it is not known any more.

    """
    for shown, task, _ in _BUILT_IN.values():
        if shown == name:
            return task
    return partial(run_remote, name) if _is_url(name) else partial(run_custom, _third_party(name))


def check(settings: Settings, _environ: Mapping[str, str]) -> None:
    """Read everything now that a flow will need later.

    Raises:
        Misconfigured: a flow or a task of it cannot be used.

    """
    if urls(settings) and not settings.task_keys:
        raise Misconfigured("a task is a URL, and there is no key to sign what it is sent: mount the secret task-key")


def urls(settings: Settings) -> tuple[str, ...]:
    """List the tasks that are URLs, each once."""
    all_flows = _flows(settings.recovery_flows_file, settings.invocation_time)
    return tuple(dict.fromkeys(name for names in all_flows.values() for name in names if _is_url(name)))


@cache
def _flows(file: Path | None, most_seconds: float) -> Mapping[Flow, tuple[str, ...]]:
    if file is None:
        return DEFAULT
    return {**DEFAULT, **flow_file.read(file, partial(_check_task, most_seconds))}


def _check_task(most_seconds: float, flow: Flow, name: str) -> None:
    if name in _BUILT_IN:
        if flow not in _BUILT_IN[name][2]:
            raise Misconfigured(f"{name} is not a task for this flow")
    elif _is_url(name):
        if "@" in urlsplit(name).netloc:
            raise Misconfigured("a URL must not carry a password: every reader of a notification would see it")
    elif not 0 < _third_party(name).time_limit < most_seconds:
        raise Misconfigured(f"the time limit of {name} must be below invocation_time, {most_seconds:g} s")


def _is_url(name: str) -> bool:
    return urlsplit(name).scheme in {"http", "https"}


@cache
def _third_party(name: str) -> CustomTask:
    found = list(entry_points(group=ENTRY_POINTS, name=name))
    if not found:
        raise Misconfigured(f"unknown task {name}: neither built in, nor an entry point of {ENTRY_POINTS}, nor a URL")
    try:
        task = found[0].load()
    except Exception as error:
        raise Misconfigured(f"task {name} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(task, CustomTask):
        raise Misconfigured(f"task {name} is not made with instance_ha.custom.custom_task")
    return task
