"""The tasks of each recovery flow, by the names that the API shows (reference, section 5.2)."""

from collections.abc import Mapping

from instance_ha.decide.flows import Flow
from instance_ha.recovery.context import Task
from instance_ha.recovery.tasks.confirm_compute_node_disabled import confirm_compute_node_disabled
from instance_ha.recovery.tasks.confirm_instance_active import confirm_instance_active
from instance_ha.recovery.tasks.disable_compute_node import disable_compute_node
from instance_ha.recovery.tasks.disable_compute_service import disable_compute_service
from instance_ha.recovery.tasks.evacuate_instances import evacuate_instances
from instance_ha.recovery.tasks.prepare_instances import prepare_instances
from instance_ha.recovery.tasks.start_instance import start_instance
from instance_ha.recovery.tasks.stop_instance import stop_instance

TASKS: Mapping[str, Task] = {
    "DisableComputeServiceTask": disable_compute_service,
    "PrepareHAEnabledInstancesTask": prepare_instances,
    "EvacuateInstancesTask": evacuate_instances,
    "StopInstanceTask": stop_instance,
    "StartInstanceTask": start_instance,
    "ConfirmInstanceActiveTask": confirm_instance_active,
    "DisableComputeNodeTask": disable_compute_node,
    "ConfirmComputeNodeDisabledTask": confirm_compute_node_disabled,
}

FLOWS: Mapping[Flow, tuple[str, ...]] = {
    Flow.HOST_AUTO: ("DisableComputeServiceTask", "PrepareHAEnabledInstancesTask", "EvacuateInstancesTask"),
    Flow.INSTANCE: ("StopInstanceTask", "StartInstanceTask", "ConfirmInstanceActiveTask"),
    Flow.PROCESS: ("DisableComputeNodeTask", "ConfirmComputeNodeDisabledTask"),
}
