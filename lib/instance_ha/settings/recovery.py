"""What is recovered, and how; names are those of masakari.conf where it has them."""

from pathlib import Path

from pydantic import Field, SecretStr

from instance_ha.settings.part import Count, Part, Seconds


class RecoverySettings(Part):
    """What is recovered, and how; names are those of masakari.conf where it has them."""

    host_failure_recovery_threads: int = Field(
        10, ge=1, le=1000, description="Evacuations in flight at once for one notification."
    )
    segment_evacuations: int = Field(
        40,
        ge=1,
        le=10000,
        description="Evacuations in flight at once for all failed hosts of a segment, the highest HA_Priority first.",
    )
    destination_evacuations: int = Field(
        10,
        ge=1,
        le=1000,
        description="Evacuations in flight at once to one host that is named to Nova, such as a reserved host. "
        "Where Nova's scheduler chooses, the destination is not known before.",
    )
    evacuation_level_wait: Seconds = Field(
        0,
        ge=0,
        description="Longest wait of instances for those of a higher HA_Priority in their segment: until they have "
        "been evacuated and their guest agents answer on the new hosts, as monitor-guests sees. 0: they only start "
        "later, and do not wait.",
    )
    nova_slow_answer: Seconds = Field(
        5,
        gt=0,
        description="When Nova takes longer to list evacuations, or answers with an error, half as many are in "
        "flight; then slowly more again.",
    )
    wait_period_after_service_update: Seconds = Field(
        180, ge=0, description="Longest wait until Nova calls the failed compute service down."
    )
    wait_period_after_evacuation: Seconds = Field(
        90, gt=0, description="An evacuation that takes longer is checked on its own, again and again."
    )
    evacuation_give_up_after: Seconds = Field(
        3600, gt=0, description="An evacuation that Nova has not finished after this time has failed."
    )
    wait_period_after_power_off: Seconds = Field(180, gt=0, description="Longest wait for an instance to stop.")
    wait_period_after_power_on: Seconds = Field(60, gt=0, description="Longest wait for an instance to start.")
    verify_interval: Seconds = Field(0.5, gt=0, description="Pause between two checks while something is waited for.")
    force_down: bool = Field(
        False,
        description="Tell Nova that the failed service is down instead of waiting for it. "
        "Only where every reported host has been fenced.",
    )
    process_all_instances: bool = Field(False, description="Restart failed instances also without the metadata key.")
    guest_restarts_per_day: Count = Field(
        3,
        ge=0,
        description="Restarts of one instance within 24 hours because its guest agent does not answer; "
        "further reports are ignored.",
    )
    start_stopped_instances: bool = Field(
        False,
        description="Start a reported instance even if its owner has stopped it, as Masakari does; "
        "by default it stays stopped.",
    )
    instance_failure_ha_enabled_instance_metadata_key: str = Field(
        "HA_Enabled",
        description="Metadata key of instances to restart (in masakari.conf: in its own section).",
    )
    process_failure_service_disable_reason: str = Field(
        "Masakari detected process failed.",
        description="Reason that Nova shows for a service whose process failed (in the section process_failure).",
    )
    service_disable_reason: str = Field(
        "Masakari detected host failed.",
        description="Reason that Nova shows for the disabled service. It also tells a disable of ours, which Nova has "
        "carried out late and which is undone, from an operator's own; without a reason it is not undone.",
    )
    evacuation_abort_after: Count = Field(
        5,
        ge=0,
        description="After this many failed evacuations in a row, the rest of the attempt is not tried on that host; "
        "instances on which an earlier attempt has failed do not count again. 0: try all.",
    )
    add_reserved_host_to_aggregate: bool = Field(
        False, description="A reserved host joins the aggregates of the failed host, and so its availability zone."
    )
    reserved_host_disable_reason: str = Field(
        "Masakari keeps this host reserved.", description="Reason that Nova shows for a reserved host given back."
    )
    share_reserved_hosts: bool = Field(
        False,
        description="A reserved host stays reserved when it is used, so that several failed hosts may share it; "
        "it then stays enabled even if it has received nothing.",
    )
    evacuate_all_instances: bool = Field(True, description="Evacuate instances also without the metadata key.")
    ha_enabled_instance_metadata_key: str = Field("HA_Enabled", description="Metadata key of instances to evacuate.")
    ha_priority_metadata_key: str = Field(
        "HA_Priority", description="Metadata key with a number that orders evacuations: higher first, 0 without it."
    )
    ha_opt_out_metadata_key: str | None = Field(
        None,
        description="Metadata key that keeps an instance out of every evacuation if its value is true; none by "
        "default.",
    )
    ignore_instances_in_error_state: bool = Field(False, description="Leave instances in error where they are.")
    process_unfinished_notifications_interval: Seconds = Field(
        120,
        ge=0,
        description="Pause before a failed attempt is retried; twice as long after each further one, "
        "up to a quarter of an hour.",
    )
    retry_notification_new_status_interval: Seconds = Field(
        5, ge=0, description="How long a new notification waits for its own event before `sweep` sends another."
    )
    check_expired_notifications_interval: Seconds = Field(
        5, gt=0, description="Pause between two checks of `sweep` for expired recoveries."
    )
    recovery_flows_file: Path | None = Field(
        None, description="File of customised recovery flows (docs/custom-tasks.md); without it the default ones."
    )
    task_key: SecretStr | None = Field(
        None,
        description="Keys that sign requests to tasks and fences that are URLs (docs/custom-tasks.md), one a line: "
        "the first signs. Read from the secret `task-key`. They sign nothing else.",
    )
    remote_task_time_limit: Seconds = Field(300, gt=0, description="Longest wait for a task that is a URL.")
    recovery_attempts: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Attempts at one recovery before it is `failed`. By default 2 for an instance or a process; for "
        "a host no limit until the recovery expires (`notifications_expired_interval`).",
    )
    return_threads: int = Field(
        2, ge=1, le=1000, description="Live migrations in flight at once while the instances of a host move home."
    )
    return_wait: Seconds = Field(
        3600,
        gt=0,
        description="How long a return that an operator has requested waits until its host may serve again; "
        "one that the policy of the segment has requested waits without limit.",
    )
    live_migration_give_up_after: Seconds = Field(
        3600, gt=0, description="A live migration home that Nova has not finished after this time has failed."
    )
    notifications_expired_interval: Seconds = Field(
        86400, gt=0, description="A recovery that is not done after this time is `failed`."
    )
