"""Every metric that is served at ``/_/metrics``; docs/metrics.md is generated from here."""

from instance_ha.models.enums import FINAL_NOTIFICATION, OPEN_NOTIFICATION, NotificationType, VMoveStatus
from instance_ha.models.fencing import FenceOutcome
from instance_ha.models.gates import Gate
from instance_ha.models.health import HostState
from instance_ha.models.metric import Form, Metric
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_HOST, RECOVER_INSTANCE


def _words(values: frozenset[str] | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(str(value) for value in values))


_TYPES = _words(tuple(NotificationType))
_TABLES = ("notifications", "vmoves")
_MINUTES = (10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)

RECOVERIES = Metric(
    "instance_ha_recoveries",
    Form.COUNTER,
    "Recoveries that have ended, by what had failed and how they ended.",
    {"type": _TYPES, "status": _words(FINAL_NOTIFICATION)},
)
EVACUATIONS = Metric(
    "instance_ha_evacuations",
    Form.COUNTER,
    "Evacuations (vmoves) of ended recoveries, by result; an instance that was tried twice counts twice.",
    {"status": ("failed", "ignored", "succeeded")},
)
NOTIFICATION_DELAY = Metric(
    "instance_ha_notification_delay_seconds",
    Form.HISTOGRAM,
    "From a failure (generated_time) to its notification (created_at), of ended recoveries.",
    {"type": _TYPES},
    (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
FIRST_EVACUATION_DELAY = Metric(
    "instance_ha_first_evacuation_delay_seconds",
    Form.HISTOGRAM,
    "From a host's failure (generated_time) to the start of its first evacuation, of ended recoveries.",
    buckets=_MINUTES,
)
LAST_ACTIVE_DELAY = Metric(
    "instance_ha_last_instance_active_delay_seconds",
    Form.HISTOGRAM,
    "From a failure (generated_time) until its last instance was active again, of finished recoveries.",
    {"type": ("COMPUTE_HOST", "VM")},
    (30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0),
)
NOVA_REQUESTS = Metric(
    "instance_ha_nova_request_seconds",
    Form.SUMMARY,
    "Requests to Nova and their time; operation is an action's name, or method and resource; outcome is `ok`, "
    "`refused` (4xx; a server that is gone is one), `unavailable` (5xx, 429, or no answer at all) or `timeout`.",
    {"operation": (), "outcome": ()},
)
LEASE_LOSSES = Metric(
    "instance_ha_lease_losses",
    Form.COUNTER,
    "Rows that an invocation lost to another while it worked on them.",
    {"table": _TABLES},
)
FENCES = Metric(
    "instance_ha_fences",
    Form.COUNTER,
    "Ways to fence a host that recoveries have tried, by method; outcome is `off` (the power was seen to be off) or "
    "`failed`.",
    {"method": ("redfish", "ipmi", "ironic", "url"), "outcome": _words(tuple(FenceOutcome))},
)
GATE_HOLDS = Metric(
    "instance_ha_gate_holds",
    Form.COUNTER,
    "How often a gate has closed for a recovery, or has for another reason (docs/gates.md).",
    {"gate": _words(tuple(Gate))},
)
TRIGGERS_REFUSED = Metric(
    "instance_ha_triggers_refused",
    Form.COUNTER,
    "Triggers (events between our functions) that a function refused: unsigned, altered, too old, or not understood.",
    {"function": ()},
)
TRIGGERS_UNSENT = Metric(
    "instance_ha_triggers_unsent",
    Form.COUNTER,
    "Triggers that could not be handed over; sweep sends them again.",
    {"type": tuple(kind.type for kind in (EVACUATE_INSTANCE, RECOVER_HOST, RECOVER_INSTANCE))},
)
INTERNAL_ERRORS = Metric(
    "instance_ha_internal_errors",
    Form.COUNTER,
    "Calls that were answered 500, and unexpected errors of work; the log says why.",
)
TICKS = Metric(
    "instance_ha_ticks", Form.COUNTER, "Ticks that a scheduled function has brought to an end.", {"function": ()}
)
LAST_TICK = Metric(
    "instance_ha_last_tick_timestamp_seconds",
    Form.GAUGE,
    "When a scheduled function last brought a tick to an end.",
    {"function": ()},
)
OPEN_RECOVERIES = Metric(
    "instance_ha_open_recoveries",
    Form.GAUGE,
    "Recoveries that have not ended, by what has failed and how far they are.",
    {"type": _TYPES, "status": _words(OPEN_NOTIFICATION)},
)
OLDEST_RECOVERY = Metric(
    "instance_ha_oldest_open_recovery_age_seconds",
    Form.GAUGE,
    "Time since the notification of the oldest recovery that has not ended; 0 without one.",
    {"type": _TYPES},
)
HELD_RECOVERIES = Metric(
    "instance_ha_held_recoveries",
    Form.GAUGE,
    "Recoveries that are held; the message of each says why, and what releases it.",
)
OLDEST_HOLD = Metric(
    "instance_ha_oldest_hold_age_seconds",
    Form.GAUGE,
    "How long the longest held of them is held; 0 without one.",
)
EVACUATION_SHARE = Metric(
    "instance_ha_evacuation_share",
    Form.GAUGE,
    "Share of the usual number of evacuations that may be in flight: less than 1 since Nova has struggled.",
)
PAUSES = Metric("instance_ha_pauses", Form.GAUGE, "Pauses that are in force.")
OPEN_EVACUATIONS = Metric(
    "instance_ha_open_recovery_evacuations",
    Form.GAUGE,
    "Evacuations (vmoves) of recoveries that have not ended, of all attempts.",
    {"status": _words(tuple(VMoveStatus))},
)
OVERDUE = Metric(
    "instance_ha_overdue_rows",
    Form.GAUGE,
    "Rows whose time has come, and that no invocation holds.",
    {"table": _TABLES},
)
OLDEST_OVERDUE = Metric(
    "instance_ha_oldest_overdue_seconds",
    Form.GAUGE,
    "How long the longest overdue of them is overdue, since `sweep` last sent its event; 0 without one.",
    {"table": _TABLES},
)
SURVIVES = Metric(
    "instance_ha_segment_survives_hosts",
    Form.GAUGE,
    "Any so many hosts of a segment may die, and all its instances fit elsewhere (docs/readiness.md); absent while it "
    "is not known.",
    {"segment": ()},
)
UNFENCEABLE = Metric(
    "instance_ha_hosts_unfenceable",
    Form.GAUGE,
    "Hosts of a segment that could not be fenced when that was tried out last.",
    {"segment": ()},
)
UNRECOVERABLE = Metric(
    "instance_ha_instances_unrecoverable",
    Form.GAUGE,
    "Instances of a segment that could not be recovered however much room there is.",
    {"segment": ()},
)
LAST_READINESS = Metric(
    "instance_ha_readiness_timestamp_seconds",
    Form.GAUGE,
    "When it was last checked what a segment would survive.",
    {"segment": ()},
)
EVENTS_PENDING = Metric(
    "instance_ha_events_pending",
    Form.GAUGE,
    "Events (docs/events.md) that a sink has not taken yet; absent for a sink without any.",
    {"sink": ()},
)
OLDEST_EVENT = Metric(
    "instance_ha_oldest_event_age_seconds",
    Form.GAUGE,
    "Age of the oldest of them.",
    {"sink": ()},
)
HOSTS = Metric(
    "instance_ha_hosts",
    Form.GAUGE,
    "Hosts that monitor-poll monitors, by their state.",
    {"state": _words(tuple(HostState))},
)
HOSTS_SUPPRESSED = Metric(
    "instance_ha_hosts_suppressed",
    Form.GAUGE,
    "Hosts about which nothing is reported, since too many are down at once (mass-failure guard).",
)
LAST_POLL = Metric(
    "instance_ha_last_poll_timestamp_seconds",
    Form.GAUGE,
    "When monitor-poll last had a complete answer about the hosts; absent before the first one.",
)

GATHERED = (RECOVERIES, EVACUATIONS, NOTIFICATION_DELAY, FIRST_EVACUATION_DELAY, LAST_ACTIVE_DELAY)
COUNTED = (NOVA_REQUESTS, LEASE_LOSSES, FENCES, GATE_HOLDS, TRIGGERS_REFUSED, TRIGGERS_UNSENT, INTERNAL_ERRORS, TICKS)
MEASURED = (
    LAST_TICK,
    OPEN_RECOVERIES,
    OLDEST_RECOVERY,
    HELD_RECOVERIES,
    OLDEST_HOLD,
    PAUSES,
    EVACUATION_SHARE,
    OPEN_EVACUATIONS,
    OVERDUE,
    OLDEST_OVERDUE,
    SURVIVES,
    UNFENCEABLE,
    UNRECOVERABLE,
    LAST_READINESS,
    EVENTS_PENDING,
    OLDEST_EVENT,
    HOSTS,
    HOSTS_SUPPRESSED,
    LAST_POLL,
)
ALL = GATHERED + COUNTED + MEASURED
