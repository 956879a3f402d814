"""What must hold whatever happens, checked against the cloud's own history; each check returns what it found broken."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from instance_ha.models.text import LOCK_REASON

from instance_ha_simulator.checks import open_vmoves, our_requests
from instance_ha_simulator.cloud.model import Server
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.explorer import evacuations, returns
from instance_ha_simulator.explorer.account import Account
from instance_ha_simulator.explorer.play import Exploration
from instance_ha_simulator.explorer.proof import evacuations_are_proven, fences_are_allowed
from instance_ha_simulator.tables import Rows

LOCKS_READ = timedelta(seconds=5)  # owners' locks are read so long before evacuations begin, at most
_FINAL = {"finished", "failed", "ignored"}
_NOT_GIVEN_BACK = {"error", "resized", "rescued", "building"}  # states that may become others


def instances_are_as_their_owners_want(played: Exploration, account: Account) -> Iterator[str]:
    """Each instance ends in the state that its owner last wanted, or somebody says why not."""
    rows = played.rows
    with played.simulation.cloud.world() as world:
        for server in world.servers.values():
            actions = world.instance_actions.get(server.id)
            if server.id in world.history.meddled or (actions and actions[-1].user_id is None):
                continue  # an operator has changed it, or Nova itself has found it shut off
            host = world.hosts[server.host]
            if host.guests_run:
                continue  # it is only cut off: what is asked of its guests waits for it
            about = [n for n in rows.notifications.values() if _is_named(server, n, rows, account)]
            if about:
                continue
            wanted = world.history.wanted[server.id]
            states = account.may_be(wanted)
            if not host.alive:
                if not _ended_without_success(server.host, rows, played) and not _is_unheard_of(server.host, played):
                    yield f"{server.name} is on {server.host}, which is dead, and nobody says why"
            elif server.vm_state not in states and not states & _NOT_GIVEN_BACK and server.task_state is None:
                yield f"{server.name} is {server.vm_state} on {server.host}, its owner wants {wanted.state}"


def _is_named(server: Server, notification: dict[str, Any], rows: Rows, account: Account) -> bool:
    uuid = notification["notification_uuid"]
    if account.is_named(server, uuid, notification["message"] or ""):
        return True
    moves = [*rows.vmoves, *rows.moves_home]
    return any(m["notification_uuid"] == uuid and m["instance_uuid"] == server.id and m["message"] for m in moves)


def _ended_without_success(host: str, rows: Rows, played: Exploration) -> bool:
    ends = [n["status"] for uuid, n in rows.notifications.items() if played.callers.reports.get(uuid) == host]
    return any(status in ("failed", "ignored") for status in ends)


def _is_unheard_of(host: str, played: Exploration) -> bool:
    """Whether all reports of a host's death were lost with the primary."""
    known = {played.callers.reports.get(uuid) for uuid in played.rows.notifications}
    return host in _lost_with_the_primary(played) - known


def locks_are_as_they_were(played: Exploration, account: Account) -> Iterator[str]:
    """No lock of ours is left, and no lock of an owner is gone.

    But for one that came right before ours, and one that came while an unlock of ours was on its way.
    """
    us = played.simulation.cloud.identity.users["masakari"].id
    messages = " ".join(notification["message"] or "" for notification in played.rows.notifications.values())
    with played.simulation.cloud.world() as world:
        for server in world.servers.values():
            is_named = f"({server.id}) is left locked by us, and Nova refuses to unlock it" in messages
            if (server.locked_reason or "").startswith(LOCK_REASON) and not is_named:
                yield f"{server.name} is left locked by us"
            locked_at = world.history.locked.get(server.id)
            if locked_at is None or server.locked_by is not None or _is_met_by_an_unlock(world, server, locked_at):
                continue
            if not _came_unseen(world, server, locked_at, account, us):
                yield f"the owner's lock of {server.name} is gone"


def _came_unseen(world: World, server: Server, locked_at: datetime, account: Account, us: str) -> bool:
    """Whether an owner's lock came right before ours: after the last list of locks and each look at the server."""
    acts = world.instance_actions.get(server.id, [])
    ours = next((a.time for a in acts if a.name == "lock" and a.user_id == us and a.time >= locked_at), None)
    if ours is None:
        return False
    sent = (r.sent_at for r in world.history.received if (r.server_id, r.action, r.time) == (server.id, "lock", ours))
    sent_at = next(sent, ours)
    if any(locked_at < at <= sent_at for at in world.history.reads.get(server.id, ())):
        return False
    read_at = max((at for at in account.begun if at <= sent_at), default=None)
    return read_at is not None and locked_at >= read_at - LOCKS_READ


def _is_met_by_an_unlock(world: World, server: Server, locked_at: datetime) -> bool:
    """Whether an unlock that was sent before a server's owner locked it was carried out afterwards."""
    unlocks = (one for one in world.history.received if one.server_id == server.id and one.action == "unlock")
    return any(one.sent_at < locked_at <= one.time for one in unlocks)


def services_are_disabled_for_a_reason(played: Exploration) -> Iterator[str]:
    """A service that we have disabled belongs to a host whose failure was handled, or to a reserved host."""
    settings, rows, lost = played.simulation.settings, played.rows, _lost_with_the_primary(played)
    ours = {settings.service_disable_reason, settings.process_failure_service_disable_reason}
    with played.simulation.cloud.world() as world:
        for host in world.hosts.values():
            if host.enabled or host.disabled_reason not in ours or host.name in lost:
                continue
            of_it = [
                n for uuid, n in rows.notifications.items() if _host_of(played.callers.reports.get(uuid)) == host.name
            ]
            if not any(n["status"] in ("finished", "failed") or n["attempt"] for n in of_it):
                yield f"the service of {host.name} is disabled, and no recovery says why"
            if of_it and all("is enabled again" in (n["message"] or "") for n in of_it):
                yield f"the service of {host.name} is disabled, though the recovery says that it is enabled again"


def _lost_with_the_primary(played: Exploration) -> set[str | None]:
    """Name the hosts whose report was lost after it was accepted; what was begun by it nobody remembers."""
    lost = (about for uuid, about in played.callers.reports.items() if uuid not in played.rows.notifications)
    return {_host_of(about) for about in lost} if played.has_failed_over else set()


def hosts_are_on_maintenance_for_a_reason(played: Exploration) -> Iterator[str]:
    """A host is on maintenance only for a recovery that has not given it back."""
    for host in played.rows.hosts.values():
        if host["on_maintenance"]:
            cause = played.rows.notifications.get(host["on_maintenance_for"])
            if cause is None or "off maintenance" in (cause["message"] or ""):
                yield f"{host['name']} is on maintenance, and no recovery says why"


def reserved_hosts_are_used_or_given_back(played: Exploration) -> Iterator[str]:
    """A reserved host that received nothing, and did not fail itself, is reserved again, or it is said why not."""
    messages = " ".join(notification["message"] or "" for notification in played.rows.notifications.values())
    used = {request.host for request in our_requests(played)}
    used |= {server.host for server in played.simulation.cloud.servers()}  # by whomever it was evacuated there
    failed = {_host_of(about) for about in played.callers.reports.values()}
    for about in played.scenario.world["segments"].values():
        for name in about.get("reserved", []):
            row = played.rows.hosts[name]
            if not row["reserved"] and name not in used | failed and f"reserved host {name}" not in messages:
                yield f"{name} is not reserved any more, though nothing came to it"


def reserved_hosts_serve_one_failure(played: Exploration) -> Iterator[str]:
    """While hosts are not shared, no two failed hosts are evacuated to the same reserved one."""
    if played.simulation.settings.share_reserved_hosts:
        return
    only = [about for about in played.scenario.world["segments"].values() if about.get("method") == "reserved_host"]
    reserved = {name for about in only for name in about.get("reserved", [])}
    requests = [r for r in our_requests(played) if r.host in reserved]
    with played.simulation.cloud.world() as world:
        failed = [m for m in world.migrations if m.status in ("error", "failed", "cancelled")]
    for one, other in combinations(requests, 2):
        # What came to nothing before the other was asked for leaves the host as it was: it was given back.
        is_free = any(
            m.instance_uuid == one.server_id and m.updated_at and one.time <= m.updated_at <= other.time for m in failed
        )
        if one.host == other.host and one.source != other.source and not is_free:
            yield f"reserved host {one.host} took instances of {one.source} and {other.source}"
            return


def notifications_are_final(played: Exploration) -> Iterator[str]:
    """Each accepted notification comes to an end."""
    for notification in played.rows.notifications.values():
        if notification["status"] not in _FINAL:
            yield f"a notification is {notification['status']}: {notification['message']}"
    yield from open_vmoves(played)


def _host_of(about: Any) -> str | None:
    return about if isinstance(about, str) or about is None else about["host"]


def broken(played: Exploration, account: Account) -> list[str]:
    """Return every promise that a run has broken."""
    checks = (
        evacuations.no_evacuation_of_a_live_host,
        evacuations.no_evacuation_is_asked_of_a_host_that_is_up,
        evacuations.evacuations_are_given_up,
        evacuations_are_proven,
        fences_are_allowed,
        evacuations.no_two_evacuations_at_once,
        evacuations.runs_never_overlap,
        services_are_disabled_for_a_reason,
        hosts_are_on_maintenance_for_a_reason,
        reserved_hosts_are_used_or_given_back,
        reserved_hosts_serve_one_failure,
        notifications_are_final,
        returns.returns_end,
        returns.returned_hosts_serve,
        returns.moved_home_is_there,
    )
    found = [*account.broken, *(f"a defect: {error}" for error in played.errors)]
    found += [what for check in checks for what in check(played)]
    found += locks_are_as_they_were(played, account)
    return found + list(instances_are_as_their_owners_want(played, account))
