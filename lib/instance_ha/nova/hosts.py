"""What recovery asks of Nova about hosts: their services and hypervisors, and what limits where instances may go."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from instance_ha.models.cloud import Aggregate, ComputeService, ServerGroup, ServiceState
from instance_ha.models.errors import CloudRefused
from instance_ha.nova import hypervisors, lists, parse
from instance_ha.nova.http import NovaHttp

_GROUPS = 1000  # on a page
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _weight(service: ComputeService) -> tuple[bool, datetime]:
    """Order the records of a host's service: the last one counts."""
    return service.up, service.updated_at or _LONG_AGO


class NovaHosts:
    """The part of ``NovaClient`` that is about hosts; its methods raise what ``NovaHttp`` raises."""

    def __init__(self, http: NovaHttp, page_size: int) -> None:
        self._http = http
        self._page_size = page_size

    def service(self, host: str) -> ComputeService | None:
        """Read the nova-compute service of a host; None when Nova knows none.

        A host that came from another cell may have an old record there: the one that is up or changed last counts.
        Raises CloudUnavailable, too, when the cell of a record does not answer, so that Nova knows only its name.
        """
        query = urlencode({"host": host, "binary": "nova-compute"})
        found = [parse.service(body) for body in self._http.get(f"/os-services?{query}")["services"]]
        return max(found, key=_weight, default=None)

    def services(self) -> list[ComputeService]:
        """Read the nova-compute service of each host, as ``service`` does, but of those whose cell does not answer."""
        found = self._http.get("/os-services?binary=nova-compute")["services"]
        listed = [parse.service(body) for body in found if "id" in body]
        return list({service.host: service for service in sorted(listed, key=_weight)}.values())

    def service_states(self) -> list[ServiceState]:
        """Read whether each service of every kind is up."""
        return [parse.service_state(body) for body in self._http.get("/os-services")["services"]]

    def disable_service(self, service_id: str, reason: str, force_down: bool, timeout: float | None) -> None:
        """Disable a compute service, so that nothing new is scheduled to it.

        With ``force_down`` tell Nova too that it is down, whatever it last said of itself.
        """
        body: dict[str, Any] = {"status": "disabled"} | ({"disabled_reason": reason} if reason else {})
        body |= {"forced_down": True} if force_down else {}
        self._http.put(f"/os-services/{service_id}", body, timeout)

    def enable_service(self, service_id: str) -> None:
        """Enable a compute service, so that instances are scheduled to it."""
        self._http.put(f"/os-services/{service_id}", {"status": "enabled"})

    def lift_force_down(self, service_id: str) -> None:
        """Let a compute service that was forced down be up again, as soon as it reports.

        Raises:
            CloudRefused: instances were evacuated from its host, and its nova-compute was not restarted since then.

        """
        self._http.put(f"/os-services/{service_id}", {"forced_down": False})

    def uptime(self, host: str) -> timedelta | None:
        """Read how long a host has been up, rounded down to a minute; None: Nova does not tell, or it is down."""
        return hypervisors.uptime(self._http.get, host)

    def provider_hosts(self) -> dict[str, str]:
        """Read which host each of Placement's providers is, by its uuid; not those of a cell that does not answer."""
        query = {"limit": str(self._page_size)}
        pages = lists.pages(self._http.get, "/os-hypervisors/detail", query, "hypervisors", "hypervisors_links")
        return {body["id"]: body["service"]["host"] for page in pages for body in page}

    def aggregates(self) -> list[Aggregate]:
        """Read all host aggregates; availability zones are aggregates too."""
        return [parse.aggregate(body) for body in self._http.get("/os-aggregates")["aggregates"]]

    def join_aggregate(self, aggregate_id: int, host: str) -> None:
        """Add a host to an aggregate; a host that is in it already is fine.

        CloudRefused with 409 means that Nova does not let it in, since it is in another availability zone, say.
        """
        try:
            self._change_aggregate(aggregate_id, "add_host", host)
        except CloudRefused as error:
            if error.code != 409 or host not in self._aggregate(aggregate_id).hosts:
                raise

    def leave_aggregate(self, aggregate_id: int, host: str) -> None:
        """Remove a host from an aggregate; a host that is not in it is fine."""
        try:
            self._change_aggregate(aggregate_id, "remove_host", host)
        except CloudRefused as error:
            if error.code != 404:
                raise

    def _aggregate(self, aggregate_id: int) -> Aggregate:
        return parse.aggregate(self._http.get(f"/os-aggregates/{aggregate_id}")["aggregate"])

    def _change_aggregate(self, aggregate_id: int, action: str, host: str) -> None:
        self._http.post(f"/os-aggregates/{aggregate_id}/action", {action: {"host": host}})

    def server_groups(self) -> list[ServerGroup]:
        """Read the server groups of all projects."""
        groups: list[ServerGroup] = []
        while True:
            query = urlencode({"all_projects": "True", "limit": str(_GROUPS), "offset": str(len(groups))})
            found = self._http.get(f"/os-server-groups?{query}")["server_groups"]
            if not found:  # Nova may cut a page to fewer than were asked for
                return groups
            groups += map(parse.server_group, found)
