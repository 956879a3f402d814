"""States and kinds; the values are what stands on the wire and in the columns."""

from enum import StrEnum


class RecoveryMethod(StrEnum):
    """How a segment chooses where the instances of a failed host run again."""

    AUTO = "auto"  # the scheduler of Nova chooses
    RESERVED_HOST = "reserved_host"  # on a host kept free for this
    AUTO_PRIORITY = "auto_priority"  # auto, and what is left over on a reserved host
    RH_PRIORITY = "rh_priority"  # reserved host, and what is left over by auto


class Flow(StrEnum):
    """A flow, by the name that its option has in the configuration of custom flows."""

    HOST_AUTO = "host_auto_failure_recovery_tasks"
    HOST_RESERVED = "host_rh_failure_recovery_tasks"
    INSTANCE = "instance_failure_recovery_tasks"
    PROCESS = "process_failure_recovery_tasks"


class NotificationType(StrEnum):
    """What failed."""

    COMPUTE_HOST = "COMPUTE_HOST"
    VM = "VM"
    PROCESS = "PROCESS"


class NotificationStatus(StrEnum):
    """How far the recovery of one reported failure is."""

    NEW = "new"  # stored, nobody has taken it yet
    RUNNING = "running"  # being recovered
    ERROR = "error"  # an attempt failed; another one is due
    FAILED = "failed"  # given up; an operator is needed
    IGNORED = "ignored"  # nothing of ours to recover
    FINISHED = "finished"  # done


class VMoveType(StrEnum):
    """How an instance moves."""

    EVACUATION = "evacuation"  # from a host that has failed
    LIVE_MIGRATION = "live_migration"  # home, when its host is back


class VMoveStatus(StrEnum):
    """How far the evacuation of one instance is."""

    PENDING = "pending"  # waits for its turn
    ONGOING = "ongoing"  # in work
    IGNORED = "ignored"  # needs no evacuation any more
    FAILED = "failed"  # did not move
    SUCCEEDED = "succeeded"  # runs (or rests, as before) on another host


class VMoveStep(StrEnum):
    """Inside ONGOING: what has been written down and must be continued after a crash. Not on the wire."""

    START = "start"  # nothing was asked of Nova yet
    ASKING = "asking"  # evacuate was written down, and is being sent while the lease lasts; recover-host watches it
    WATCHED = "watched"  # as above, but nothing is being sent
    SETTLE = "settle"  # it moved, or cannot: restore its state, unlock it, close the row


class TaskState(StrEnum):
    """State of one task of a recovery flow."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


FINAL_NOTIFICATION = frozenset({NotificationStatus.FAILED, NotificationStatus.IGNORED, NotificationStatus.FINISHED})
OPEN_NOTIFICATION = frozenset(NotificationStatus) - FINAL_NOTIFICATION
OPEN_VMOVE = frozenset({VMoveStatus.PENDING, VMoveStatus.ONGOING})
UNDER_WAY = frozenset({VMoveStep.ASKING, VMoveStep.WATCHED})
