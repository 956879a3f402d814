"""``openstack ha status``: what is under way, and what needs attention."""

import argparse
from collections.abc import Iterator
from typing import Any

from instance_ha.models.enums import NotificationStatus, NotificationType
from instance_ha.models.returns import OPEN_RETURN
from instance_ha.osc.api import Api, ahead
from instance_ha.osc.commands import Lister, Table, table

_DAY = 86400.0  # seconds
_OPEN = (NotificationStatus.NEW, NotificationStatus.RUNNING, NotificationStatus.ERROR)
_KINDS = {
    NotificationType.COMPUTE_HOST: "recovery of host",
    NotificationType.VM: "recovery of instance",
    NotificationType.PROCESS: "recovery of process",
}
Row = dict[str, Any]


class Status(Lister):
    """List what is under way or needs attention: recoveries, returns, pauses, readiness, hosts out of service.

    Recoveries that have failed are listed for a day. An empty list says that nothing is being recovered or waits; it
    does not say that the monitors run.
    """

    example = "status --fit-width"

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List it."""
        api = self.api
        rows = [*_recoveries(api), *_pauses(api), *_returns(api), *_readiness(api), *_hosts(api)]
        return table(("what", "name", "status", "since", "message", "uuid"), rows)


def _row(what: str, name: str | None, status: str, since: str | None, message: str | None, uuid: str | None) -> Row:
    return {
        "what": what,
        "name": name,
        "status": status,
        "since": since and since[:19],
        "message": message,
        "uuid": uuid,
    }


def _recoveries(api: Api) -> Iterator[Row]:
    found = [one for status in _OPEN for one in api.notifications(status=status)]
    found += api.notifications(status=NotificationStatus.FAILED, generated_since=ahead(-_DAY))
    for one in found:
        host = one["source_host_uuid"]
        name = one["payload"].get("instance_uuid") or api.names.get(host, host)
        yield _row(
            _KINDS[one["type"]], name, one["status"], one["created_at"], one["message"], one["notification_uuid"]
        )


def _pauses(api: Api) -> Iterator[Row]:
    for one in api.page("pauses", active="true"):
        uuid = one["segment_uuid"] or one["host_uuid"]
        name = api.names.get(uuid, uuid) if uuid else None
        message = f"until {one['until'][:19]}: {one['reason']}"
        yield _row(f"pause of {one['scope']}", name, "paused", one["created_at"], message, one["uuid"])


def _returns(api: Api) -> Iterator[Row]:
    for one in api.page("returns"):
        if one["status"] in OPEN_RETURN:
            name = api.names.get(one["host_uuid"], one["host_uuid"])
            yield _row("return of host", name, one["status"], one["created_at"], one["message"], one["uuid"])


def _readiness(api: Api) -> Iterator[Row]:
    for one in api.page("readiness"):
        if one["trouble"]:
            yield _row(
                "readiness of segment",
                one["segment_name"],
                "trouble",
                one["since"],
                one["trouble"],
                one["segment_uuid"],
            )
        elif not one["is_fresh"]:
            message = "it was not checked since: does the function readiness run?"
            about = one["segment_name"], "not known", one["checked_at"], message, one["segment_uuid"]
            yield _row("readiness of segment", *about)


def _hosts(api: Api) -> Iterator[Row]:
    for host in api.hosts:
        if host.on_maintenance:
            message = f"in segment {api.segments[host.failover_segment_id]}"
            yield _row("host", host.name, "on maintenance", host.updated_at, message, host.uuid)
