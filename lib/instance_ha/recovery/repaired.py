"""What has failed may run again by the time that its recovery begins: its owner, or Nova, has repaired it.

A recovery that a gate has held for hours would stop a healthy instance, or take a healthy host out of service.
"""

from instance_ha.decide.power import is_started_since
from instance_ha.decide.service import is_up_since
from instance_ha.models.cloud import CLOCKS_APART
from instance_ha.models.enums import NotificationType
from instance_ha.models.rows import Host, Notification
from instance_ha.recovery.claim import Claim


def repaired(claim: Claim[Notification], host: Host) -> str | None:
    """Say how an instance or a process that was reported has come to run again; None when it has not, as far as known.

    The failure of a host is no matter of this: its own flow listens to the host. Raises CloudUnavailable.
    """
    row = claim.row
    if row.attempt or claim.world.clock.now() <= row.created_at + CLOCKS_APART:  # nothing of it could be told
        return None
    if row.type is NotificationType.VM:
        return _instance_runs(claim)
    return _service_reports(claim, host) if row.type is NotificationType.PROCESS else None


def _instance_runs(claim: Claim[Notification]) -> str | None:
    instance = claim.row.instance_uuid
    server = claim.nova.server(instance) if instance else None
    if server is None:
        return None
    last = claim.nova.last_power_action(server.id)
    if last is None or not is_started_since(server, last, claim.row.created_at):
        return None
    who = "Nova itself" if last.by_nova else "another user"
    return f"{who} has asked for a {last.name} of the instance since it was reported, and it runs: it is left as it is"


def _service_reports(claim: Claim[Notification], host: Host) -> str | None:
    service = claim.nova.service(host.name)
    if service is None or not is_up_since(service, claim.row.created_at):
        return None
    return f"nova-compute on {host.name} has gone on to report since it was reported: it is left as it is"
