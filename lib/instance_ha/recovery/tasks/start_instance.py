"""StartInstanceTask: the stopped instance is asked to start."""

from instance_ha import log
from instance_ha.decide import power
from instance_ha.decide.power import Broken, Leave, Step, Verdict
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudRefused, RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery
from instance_ha.recovery.tasks.stop_instance import instance_of, leave
from instance_ha.recovery.waiting import keep, recall, wait

_GONE = 404


def start_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Ask for the start, once; whether it works is confirmed by the next task."""
    instance = instance_of(recovery)
    if not task.details:
        recovery.report(task, 0.0, f"Starting instance {instance}")
    complaint = f"instance {instance} is busy and cannot be started"
    limit = recovery.world.settings.wait_period_after_power_on
    return wait(recovery, task, limit, complaint, lambda: _look(recovery, task, instance))


def _look(recovery: Recovery, task: TaskRow, instance: str) -> Outcome | None:
    verdict = _verdict(recovery, task, instance)
    if isinstance(verdict, Leave):
        return leave(recovery, task, verdict)
    if isinstance(verdict, Broken):
        raise RecoveryFailed(verdict.message)
    if verdict is Step.WAIT:
        return None
    if verdict is Step.START:
        keep(recovery, task, asked=True)
        recovery.world.step("vm-start-written")
        try:
            recovery.world.nova.start(instance)
        except CloudRefused as refusal:
            if refusal.code == _GONE:
                return leave(recovery, task, power.gone())
            raise
        log.get().info("instance start asked", instance=instance)
        recovery.world.step("vm-start-asked")
    recovery.report(task, 1.0, f"Started instance {instance}", TaskState.SUCCESS)
    return Done()


def _verdict(recovery: Recovery, task: TaskRow, instance: str) -> Verdict:
    nova = recovery.world.nova
    asked = bool(recall(recovery, task).get("asked"))
    server = nova.server(instance)
    verdict = power.next_to_start(server, asked)
    if verdict is Step.START and server is not None:
        return power.start(server, nova.last_power_action(instance), asked)
    return verdict
