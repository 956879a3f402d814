"""StopInstanceTask: whatever the failed instance still does ends, so that it can be started."""

from uuid import UUID

from instance_ha import log
from instance_ha.decide import power
from instance_ha.decide.instances import InstancePolicy
from instance_ha.decide.power import Leave, Step, Verdict
from instance_ha.models.cloud import Server
from instance_ha.models.enums import TaskState
from instance_ha.models.errors import CloudRefused, RecoveryFailed
from instance_ha.models.rows import TaskRow
from instance_ha.recovery.context import Done, Outcome, Recovery, Skip
from instance_ha.recovery.waiting import keep, recall, wait

_GONE, _CONFLICT = 404, 409


def instance_of(recovery: Recovery) -> str:
    """Return the id of the failed instance as Nova writes it; a report may leave the dashes out."""
    return str(UUID(recovery.notification.payload["instance_uuid"]))


def leave(recovery: Recovery, task: TaskRow, end: Leave) -> Skip:
    """End the recovery and leave the instance as it is."""
    recovery.report(task, 1.0, end.message, TaskState.SUCCESS)
    return Skip(end.message, end.status)


def stop_instance(recovery: Recovery, task: TaskRow) -> Outcome:
    """Stop the instance and wait until it has stopped."""
    instance = instance_of(recovery)
    if not task.details:
        recovery.report(task, 0.0, f"Stopping instance {instance}")
    work = _Stop(recovery, task, instance)
    limit = recovery.world.settings.wait_period_after_power_off
    return wait(recovery, task, limit, f"instance {instance} did not stop within {limit:.0f} s", work.look)


class _Stop:
    """What one invocation knows of the stop; what all must know is kept in the task's row."""

    def __init__(self, recovery: Recovery, task: TaskRow, instance: str) -> None:
        self._recovery, self._task, self._instance = recovery, task, instance
        self._begun = bool(recall(recovery, task).get("begun"))
        self._sent = False

    def look(self) -> Outcome | None:
        """Do the next step; None when there is something to wait for."""
        server = self._recovery.world.nova.server(self._instance)
        verdict = self._verdict(server)
        if isinstance(verdict, Leave):
            return leave(self._recovery, self._task, verdict)
        if verdict is Step.REACHED:
            self._recovery.report(self._task, 1.0, f"Stopped instance {self._instance}", TaskState.SUCCESS)
            self._recovery.world.step("vm-stopped")
            return Done()
        return self._act(verdict) if isinstance(verdict, Step) else None

    def _refusal(self, server: Server | None) -> Leave | None:
        settings = self._recovery.world.settings
        key = settings.instance_failure_ha_enabled_instance_metadata_key
        policy = InstancePolicy(metadata_key=key or settings.ha_enabled_instance_metadata_key)
        return power.may_recover(server, self._recovery.host.name, policy, settings.process_all_instances)

    def _verdict(self, server: Server | None) -> Verdict:
        nova = self._recovery.world.nova
        if not self._begun and (refusal := self._refusal(server)) is not None:
            return refusal
        verdict = power.next_to_stop(server)
        if verdict is not Step.STOP or server is None:
            return verdict
        if self._sent:
            return Step.WAIT
        if self._begun:
            return power.stop_again(server, nova.last_power_action(self._instance))
        if self._recovery.notification.attempt > 1:
            return power.recovered_before(server, nova.last_power_action(self._instance)) or verdict
        return verdict

    def _act(self, step: Step) -> Outcome | None:
        if step is Step.WAIT:
            return None
        nova, world = self._recovery.world.nova, self._recovery.world
        try:
            if step is Step.RESET:
                nova.reset_to_active(self._instance)
                log.get().info("resized instance reset to active")
                return self.look()
            keep(self._recovery, self._task, begun=True)
            world.step("vm-stop-written")
            self._begun = self._sent = True
            nova.stop(self._instance)
            log.get().info("instance stop asked", instance=self._instance)
            world.step("vm-stop-asked")
        except CloudRefused as refusal:
            return self._after(refusal)
        return None

    def _after(self, refusal: CloudRefused) -> Outcome | None:
        """A refused stop is tolerated when the instance has stopped, or is busy: then it is asked again."""
        if refusal.code == _GONE:
            return leave(self._recovery, self._task, power.gone())
        if refusal.code != _CONFLICT:
            raise refusal
        self._recovery.report(self._task, 0.0, f"Conflict when stopping instance {self._instance}: {refusal}")
        server = self._recovery.world.nova.server(self._instance)
        if power.next_to_stop(server) is Step.STOP:
            raise RecoveryFailed(f"Nova refused to stop instance {self._instance}: {refusal}")
        self._sent = False
        return None
