"""The tasks of each recovery flow, by the names that the API shows (reference, section 5.2)."""

from collections.abc import Mapping

from instance_ha.models.enums import Flow
from instance_ha.recovery.context import Task
from instance_ha.recovery.tasks.disable_compute_service import disable_compute_service
from instance_ha.recovery.tasks.evacuate_instances import evacuate_instances
from instance_ha.recovery.tasks.prepare_instances import prepare_instances

TASKS: Mapping[str, Task] = {
    "DisableComputeServiceTask": disable_compute_service,
    "PrepareHAEnabledInstancesTask": prepare_instances,
    "EvacuateInstancesTask": evacuate_instances,
}

_EVACUATION = ("DisableComputeServiceTask", "PrepareHAEnabledInstancesTask", "EvacuateInstancesTask")

FLOWS: Mapping[Flow, tuple[str, ...]] = {
    Flow.HOST_AUTO: _EVACUATION,
    Flow.HOST_RESERVED: _EVACUATION,
}
