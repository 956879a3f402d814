"""The tables: what Postgres holds. The migrations make them; tests compare the two."""

from instance_ha.store.schema.columns import LIVE, OPEN, metadata
from instance_ha.store.schema.decisions import approvals, evidence, fence_attempts, gate_decisions, pauses, readiness
from instance_ha.store.schema.events import outbox, sinks
from instance_ha.store.schema.inventory import hosts, segment_policies, segments
from instance_ha.store.schema.monitoring import guest_health, host_health, watches
from instance_ha.store.schema.recovery import notifications, returns, tasks, throttle, vmoves
from instance_ha.store.schema.upkeep import counters, imported_rows, purge_batches

__all__ = [
    "LIVE",
    "OPEN",
    "approvals",
    "counters",
    "evidence",
    "fence_attempts",
    "gate_decisions",
    "guest_health",
    "host_health",
    "hosts",
    "imported_rows",
    "metadata",
    "notifications",
    "outbox",
    "pauses",
    "purge_batches",
    "readiness",
    "returns",
    "segment_policies",
    "segments",
    "sinks",
    "tasks",
    "throttle",
    "vmoves",
    "watches",
]
