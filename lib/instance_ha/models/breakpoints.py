"""The named points of the code at which a test can kill an invocation; in production nothing happens there."""

from enum import StrEnum


class Breakpoint(StrEnum):
    """A point right after something was written down, or was asked of the outside: ``<subject>-<what happened>``."""

    # the recovery of a host, a process or an instance
    RECOVERY_CLAIMED = "recovery-claimed"
    RECOVERY_STARTED = "recovery-started"
    RECOVERY_HELD = "recovery-held"
    NEXT_FLOW_PLANNED = "next-flow-planned"
    RECOVERY_SKIPPED = "recovery-skipped"
    RECOVERY_FAILED = "recovery-failed"
    RECOVERY_CLOSED = "recovery-closed"
    # its tasks
    SERVICE_DISABLED = "service-disabled"
    SERVICE_DOWN = "service-down"
    HOST_GIVEN_BACK = "host-given-back"
    SHUT_OFF_FOUND = "shut-off-found"
    SHUT_OFF_STARTED = "shut-off-started"
    INSTANCES_PLANNED = "instances-planned"
    ROUND_ADVANCED = "round-advanced"
    RESERVED_HOST_TAKEN = "reserved-host-taken"
    RESERVED_HOST_ENABLED = "reserved-host-enabled"
    AGGREGATE_JOINED = "aggregate-joined"
    RESERVED_HOST_GIVEN_BACK = "reserved-host-given-back"
    FAILED_INSTANCE_STOP_RECORDED = "failed-instance-stop-recorded"
    FAILED_INSTANCE_STOP_REQUESTED = "failed-instance-stop-requested"
    FAILED_INSTANCE_STOPPED = "failed-instance-stopped"
    FAILED_INSTANCE_STARTED = "failed-instance-started"
    FENCE_RECORDED = "fence-recorded"
    FENCE_REQUESTED = "fence-requested"
    FENCE_FAILED = "fence-failed"
    HOST_FENCED = "host-fenced"
    CUSTOM_TASK_STARTED = "custom-task-started"
    REMOTE_TASK_DUE = "remote-task-due"
    # the evacuation of one instance
    VMOVE_CLAIMED = "vmove-claimed"
    INSTANCE_LOCKED = "instance-locked"
    EVACUATION_RECORDED = "evacuation-recorded"
    EVACUATION_REQUESTED = "evacuation-requested"
    INSTANCE_RESTORED = "instance-restored"
    INSTANCE_UNLOCKED = "instance-unlocked"
    VMOVE_CLOSED = "vmove-closed"
    # the final check
    RESET_UNDONE = "reset-undone"
    # the monitors
    POLL_CLAIMED = "poll-claimed"
    POLL_STORED = "poll-stored"
    HOST_REPORTED = "host-reported"
    GUESTS_CLAIMED = "guests-claimed"
    GUESTS_STORED = "guests-stored"
    GUEST_REPORTED = "guest-reported"
    # events, purge, import
    EVENT_SENT = "event-sent"
    BATCH_PLANNED = "batch-planned"
    BATCH_ARCHIVED = "batch-archived"
    BATCH_DELETED = "batch-deleted"
    BATCH_IMPORTED = "batch-imported"
