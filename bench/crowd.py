"""Many hosts, recoveries and instances, as rows alone: what a page of the console has to show at most."""

from sqlalchemy import Connection, text

_SEGMENTS = """
    INSERT INTO failover_segments (created_at, uuid, name, service_type, recovery_method, enabled)
    SELECT now(), 'crowd-' || n, 'crowd segment ' || n, 'COMPUTE', 'auto', true
    FROM generate_series(1, :segments) n
"""
_HOSTS = """
    INSERT INTO hosts (created_at, uuid, name, type, control_attributes, failover_segment_id, reserved, on_maintenance)
    SELECT now(), 'crowd-' || n, 'crowd-compute-' || n, 'COMPUTE', 'SSH', 'crowd-' || 1 + n % :segments,
        false, false
    FROM generate_series(1, :hosts) n
"""
_HEALTH = """
    INSERT INTO host_health (host_uuid, samples, state, listed, suppressed, reported, since)
    SELECT uuid, '[{"at": "2026-11-28T03:00:00+00:00", "vector": {"manage": "down", "tenant": "up", "storage": "up"}}]',
        'degraded', true, false, 'nothing', now()
    FROM hosts WHERE uuid LIKE 'crowd-%'
"""
_RECOVERIES = """
    INSERT INTO notifications (notification_uuid, created_at, generated_time, source_host_uuid, type, payload, status,
        failover_segment_uuid, message, held_since, attempt)
    SELECT 'crowd-' || n, now(), now(), 'crowd-' || n, 'COMPUTE_HOST', '{}', 'running', 'crowd-1',
        'held: ' || repeat('a reason that is long ', 10) || '; it goes on when somebody says so',
        CASE WHEN n % 2 = 0 THEN now() END, 1
    FROM generate_series(1, :recoveries) n
"""
_MOVES = """
    INSERT INTO vmoves (created_at, uuid, notification_uuid, instance_uuid, instance_name, source_host, dest_host, type,
        status, step, message, attempt, round, position, tries, locked_by_us, facts,
        start_time, asked_at, moved_at, end_time)
    SELECT now() - interval '90 s', 'crowd-' || r || '-' || i, 'crowd-' || r, gen_random_uuid(),
        'a-rather-long-name-of-an-instance-' || i, 'compute-' || r, 'compute-9', 'evacuation',
        'succeeded', 'settle', 'a message ' || i, 1, 1, i, 0, false, '{"priority": 5}',
        now() - interval '80 s', now() - interval '70 s' + i * interval '0.01 s', now() - interval '30 s',
        now() - interval '10 s'
    FROM generate_series(1, :recoveries) r, generate_series(1, :instances) i
"""
_TABLES = {
    "vmoves": "notification_uuid",
    "notifications": "notification_uuid",
    "host_health": "host_uuid",
    "hosts": "uuid",
    "failover_segments": "uuid",
}
_HOSTS_OF_A_SEGMENT = 20


def add(connection: Connection, hosts: int, recoveries: int, instances: int) -> str:
    """Add so many hosts, recoveries in work, and instances of each; one of both has the uuid that is returned."""
    about = {
        "hosts": hosts,
        "recoveries": recoveries,
        "instances": instances,
        "segments": max(1, hosts // _HOSTS_OF_A_SEGMENT),
    }
    for statement in (_SEGMENTS, _HOSTS, _HEALTH, _RECOVERIES, _MOVES):
        connection.execute(text(statement), about)
    return "crowd-1"


def remove(connection: Connection) -> None:
    """Remove them."""
    for table, column in _TABLES.items():
        connection.execute(text(f"DELETE FROM {table} WHERE {column} LIKE 'crowd-%'"))
