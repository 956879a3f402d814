"""Very many notifications that have ended, and the progress of a long recovery, as rows alone."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

DUE = 100  # moves that are overdue

_NOTIFICATIONS = """
    INSERT INTO notifications (notification_uuid, created_at, updated_at, generated_time, source_host_uuid, type,
        payload, instance_uuid, status, failover_segment_uuid, message, counted, attempt)
    SELECT 'history-' || n, now() - interval '1 s' * (:most - n), now(), now(), 'crowd-' || 1 + n % :hosts, 'VM',
        jsonb_build_object('event', 'LIFECYCLE', 'vir_domain_event', 'STOPPED_FAILED', 'instance_uuid', i),
        i, 'finished', 'crowd-1', 'recovered', true, 1
    FROM (SELECT n, 'instance-' || n AS i FROM generate_series(1, :most) n) one
"""
_TASKS = """
    INSERT INTO recovery_tasks (notification_uuid, attempt, position, name, state, progress, details)
    SELECT :uuid, 1 + n / 3, n % 3, 'EvacuateInstancesTask', 'SUCCESS', 1.0, (
        SELECT jsonb_agg(jsonb_build_object('timestamp', '2026-11-28 10:00:00.000000', 'progress', '0.5', 'message',
            'evacuated instance ' || line)) FROM generate_series(1, 4) line
    )
    FROM generate_series(0, :tasks - 1) n
"""


def add(connection: Connection, notifications: int, hosts: int) -> str:
    """Add notifications that have ended, on so many hosts of the crowd; returns the uuid of the one in their middle."""
    connection.execute(text(_NOTIFICATIONS), {"most": notifications, "hosts": hosts})
    connection.execute(text("ANALYZE notifications"))
    return f"history-{notifications // 2}"


def add_tasks(connection: Connection, uuid: str, tasks: int) -> None:
    """Add the progress of so many tasks to a recovery of the crowd."""
    connection.execute(text(_TASKS), {"uuid": uuid, "tasks": tasks})


def remove(connection: Connection) -> None:
    """Remove what was added; the crowd's own rows stay."""
    connection.execute(text("DELETE FROM recovery_tasks WHERE notification_uuid LIKE 'crowd-%'"))
    connection.execute(text("DELETE FROM notifications WHERE notification_uuid LIKE 'history-%'"))


def make_due(connection: Connection, now: datetime) -> None:
    """Have some of the crowd's moves overdue."""
    chosen = "SELECT uuid FROM vmoves WHERE uuid LIKE 'crowd-%' ORDER BY id LIMIT :due"
    overdue = {"due": DUE, "then": now - timedelta(minutes=1)}
    connection.execute(text("UPDATE notifications SET due_at = NULL"))
    connection.execute(text(f"UPDATE vmoves SET status = 'ongoing', due_at = :then WHERE uuid IN ({chosen})"), overdue)
    connection.execute(text("ANALYZE vmoves"))


def end_long_ago(connection: Connection, now: datetime) -> None:
    """Have all old notifications end two months ago."""
    then = {"then": now - timedelta(days=60)}
    connection.execute(text("UPDATE notifications SET created_at = :then, updated_at = :then"), then)
