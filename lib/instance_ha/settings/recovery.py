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
        description="Evacuations in flight at once to one host that Nova is told to use, as a reserved one. "
        "Where its scheduler chooses, the destination is not known before.",
    )
    evacuation_level_wait: Seconds = Field(
        0,
        ge=0,
        description="Instances wait until those of a higher HA_Priority in their segment have been evacuated and their "
        "guest agents answer on the new hosts, or until so long after those were begun. monitor-guests sees the "
        "answers. 0: they do not wait, and only go after them.",
    )
    nova_slow_answer: Seconds = Field(
        5,
        gt=0,
        description="Nova struggles when it takes longer to tell how evacuations stand, or answers with an error: "
        "half as many are in flight then, and slowly more again.",
    )
    wait_period_after_service_update: Seconds = Field(
        180, ge=0, description="Longest wait until Nova calls the failed compute service down."
    )
    wait_period_after_evacuation: Seconds = Field(
        90, gt=0, description="An evacuation that takes longer is checked by itself, again and again."
    )
    evacuation_give_up_after: Seconds = Field(
        3600, gt=0, description="An evacuation that Nova has not finished by then has failed."
    )
    wait_period_after_power_off: Seconds = Field(180, gt=0, description="Longest wait for an instance to stop.")
    wait_period_after_power_on: Seconds = Field(60, gt=0, description="Longest wait for an instance to start.")
    verify_interval: Seconds = Field(0.5, gt=0, description="Pause between two questions of a wait.")
    force_down: bool = Field(
        False,
        description="Tell Nova that the failed service is down instead of waiting for it. "
        "Only where every reported host has been fenced.",
    )
    process_all_instances: bool = Field(False, description="Restart failed instances without the metadata key too.")
    guest_restarts_per_day: Count = Field(
        3,
        ge=0,
        description="How often an instance is restarted within 24 hours since its guest agent does not answer; "
        "what is reported beyond that is ignored.",
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
        description="Reason that Nova shows for the disabled service. By it a disable that Nova has carried out late, "
        "when the host was given back, is told from an operator's own, and undone; without a reason it is not.",
    )
    evacuation_abort_after: Count = Field(
        5,
        ge=0,
        description="So many failed evacuations in a row, and the rest of the attempt is not tried on that host; "
        "instances that an earlier attempt failed on do not count again. 0: try all.",
    )
    add_reserved_host_to_aggregate: bool = Field(
        False, description="A reserved host joins the aggregates of the failed host, and so its availability zone."
    )
    reserved_host_disable_reason: str = Field(
        "Masakari keeps this host reserved.", description="Reason that Nova shows for a reserved host given back."
    )
    share_reserved_hosts: bool = Field(
        False,
        description="A reserved host stays reserved when it is used, so several failed hosts may share it; "
        "it stays enabled then even if it received nothing.",
    )
    evacuate_all_instances: bool = Field(True, description="Evacuate instances without the metadata key too.")
    ha_enabled_instance_metadata_key: str = Field("HA_Enabled", description="Metadata key of instances to evacuate.")
    ha_priority_metadata_key: str = Field(
        "HA_Priority", description="Metadata key whose number orders evacuations: higher first, 0 without it."
    )
    ha_opt_out_metadata_key: str | None = Field(
        None, description="Metadata key whose true value keeps an instance out of every evacuation; none by default."
    )
    ignore_instances_in_error_state: bool = Field(False, description="Leave instances in error where they are.")
    process_unfinished_notifications_interval: Seconds = Field(
        120,
        ge=0,
        description="Pause before a failed attempt is tried again; twice as long after each further one, "
        "up to a quarter of an hour.",
    )
    retry_notification_new_status_interval: Seconds = Field(
        5, ge=0, description="How long a new notification is left to its own event before `sweep` sends another."
    )
    check_expired_notifications_interval: Seconds = Field(
        5, gt=0, description="Pause between two checks of `sweep` for what has expired."
    )
    recovery_flows_file: Path | None = Field(
        None, description="File of customised recovery flows (docs/custom-tasks.md); without it the usual ones."
    )
    task_key: SecretStr | None = Field(
        None,
        description="Keys that sign what tasks that are URLs are sent (docs/custom-tasks.md), one a line: the first "
        "signs. Read from the secret `task-key`. They sign nothing else.",
    )
    remote_task_time_limit: Seconds = Field(300, gt=0, description="Longest wait for a task that is a URL.")
    recovery_attempts: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Attempts at one recovery before it is `failed`. By default a host's go on until it expires "
        "(`notifications_expired_interval`), and an instance's or a process' end after 2.",
    )
    return_threads: int = Field(
        2, ge=1, le=1000, description="Live migrations in flight at once while the instances of a host go home."
    )
    return_wait: Seconds = Field(
        3600,
        gt=0,
        description="How long a return that an operator has asked for waits until its host may serve again; "
        "one that the policy of a segment has asked for waits for ever.",
    )
    live_migration_give_up_after: Seconds = Field(
        3600, gt=0, description="A live migration home that Nova has not finished by then has failed."
    )
    notifications_expired_interval: Seconds = Field(86400, gt=0, description="A recovery not done by then is `failed`.")
