"""Nova over HTTP: one Keystone session for the life of a function instance, time limits on every request."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from copy import copy
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from keystoneauth1.adapter import Adapter

from instance_ha.models.cloud import EVACUATION, LIVE_MIGRATION, SOFT_DELETED, Migration, PowerAction, Server
from instance_ha.models.errors import CloudRefused, ListIncomplete
from instance_ha.models.ports import Clock, Metrics
from instance_ha.nova import hypervisors, lists, parse
from instance_ha.nova.hosts import NovaHosts
from instance_ha.nova.http import NovaHttp


class NovaClient(NovaHosts):
    """What recovery asks of Nova: about servers and their moves here, about hosts in ``NovaHosts``.

    All methods raise CloudUnavailable (nothing was answered, or 5xx), CloudTimeout (no answer in time:
    the request may have been carried out) and CloudRefused (4xx, with Nova's own words). Only questions are
    repeated by themselves; what changes something is repeated by callers that know how to ask first.
    """

    def __init__(
        self,
        adapter: Adapter,
        clock: Clock,
        timeout: float,
        list_timeout: float,
        page_size: int,
        metrics: Metrics,
    ) -> None:
        super().__init__(NovaHttp(adapter, clock, timeout, metrics), page_size)
        self._list_timeout = list_timeout

    def under(
        self, cover: Callable[[float], None], renewed: Callable[[float], AbstractContextManager[None]]
    ) -> "NovaClient":
        """Return a client whose requests are made under a lease (``NovaHttp.under``)."""
        covered = copy(self)
        covered._http = self._http.under(cover, renewed)
        return covered

    def servers_on(self, host: str) -> Iterator[list[Server]]:
        """Read all servers on a host, page by page; to be read to its end, where it is checked.

        Each server is seen on the host: a user that may not filter by host is shown all servers of the cloud.

        Raises:
            CloudUnavailable: the list may be incomplete, as when the cell of the host does not answer.

        """
        listed: set[str] = set()
        for page in self._servers({"all_tenants": "True", "host": host}):
            here = [server for server in page if server.host == host]
            listed.update(server.id for server in here)
            if here:
                yield here
        self._check_complete(host, listed)

    def _servers(self, filters: dict[str, str]) -> Iterator[list[Server]]:
        query = {**filters, "limit": str(self._page_size)}
        for page in lists.pages(
            partial(self._http.get, timeout=self._list_timeout), "/servers/detail", query, "servers", "servers_links"
        ):
            yield [parse.server(body) for body in page]

    def _check_complete(self, host: str, listed: set[str]) -> None:
        known = hypervisors.servers_on(partial(self._http.get, timeout=self._list_timeout), host)
        if known is None:
            pages = self._servers({"all_tenants": "True", "host": host})
            known = {server.id for page in pages for server in page if server.host == host}
            self.service(host)  # raises if its cell does not answer, and so both lists may lack it
        for server_id in known - listed:
            server = self.server(server_id)
            if server is not None and server.host == host and server.vm_state != SOFT_DELETED:
                has = len(known | listed)
                raise ListIncomplete(f"Nova lists {len(listed)} servers on {host}, but knows of {has} there")

    def locked_servers(self, changed_since: datetime) -> list[Server]:
        """Read the locked servers that have changed since then: those that we have in work, and a few of others."""
        since = changed_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"all_tenants": "True", "locked": "True", "changes-since": since, "deleted": "False"}
        return [server for page in self._servers(query) for server in page]

    def changed_servers(self, changed_since: datetime, host: str | None = None) -> Iterator[list[Server]]:
        """Read the servers that have changed since then and still exist, page by page; one that is missing may exist.

        Of the whole cloud, or of a host; a user that may not filter by host is shown those of the whole cloud.
        """
        since = changed_since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"all_tenants": "True", "changes-since": since, "deleted": "False"}
        yield from self._servers(query | ({"host": host} if host else {}))

    def server(self, server_id: str) -> Server | None:
        """Read a server; None when there is none."""
        try:
            return parse.server(self._http.get(f"/servers/{server_id}")["server"])
        except CloudRefused as error:
            if error.code == 404:
                return None
            raise

    def last_power_action(self, server_id: str) -> PowerAction | None:
        """Read who last started, stopped or rebooted a server; None when nobody has."""
        path = f"/servers/{server_id}/os-instance-actions"
        for page in lists.pages(self._http.get, path, {}, "instanceActions", "links"):
            if (action := parse.power_action(page, self._http.user_id)) is not None:
                return action
        return None

    def evacuations_from(self, host: str, last_migration_id: int, limit: int) -> Iterator[Migration]:
        """Read Nova's records of evacuations from a host, newest first, down to the id ``last_migration_id``."""
        query = {"migration_type": EVACUATION, "source_compute": host, "limit": str(limit)}
        for page in lists.pages(self._http.get, "/os-migrations", query, "migrations", "migrations_links"):
            for body in page:
                if body["id"] <= last_migration_id:
                    return
                yield parse.migration(body)

    def latest_evacuation(self, server_id: str) -> Migration | None:
        """Read Nova's newest record of an evacuation of a server, from wherever; None when there is none."""
        return self._latest_move(server_id, EVACUATION)

    def latest_live_migration(self, server_id: str) -> Migration | None:
        """Read Nova's newest record of a live migration of a server; None when there is none."""
        return self._latest_move(server_id, LIVE_MIGRATION)

    def _latest_move(self, server_id: str, kind: str) -> Migration | None:
        query = urlencode({"migration_type": kind, "instance_uuid": server_id, "limit": "1"})
        bodies = self._http.get(f"/os-migrations?{query}")["migrations"]
        return parse.migration(bodies[0]) if bodies else None

    def evacuate(self, server_id: str, host: str | None) -> None:
        """Ask for an evacuation, to a host or to where the scheduler likes; Nova carries it out later.

        Never ask twice without reading the server and its records first.
        """
        self._http.post(f"/servers/{server_id}/action", {"evacuate": {"host": host} if host else {}})

    def live_migrate(self, server_id: str, host: str) -> None:
        """Ask for a live migration to a host; Nova checks it with its scheduler, and carries it out later."""
        about = {"host": host, "block_migration": "auto"}
        self._http.post(f"/servers/{server_id}/action", {"os-migrateLive": about})

    def lock(self, server_id: str, reason: str) -> None:
        """Keep the server's owner from acting on it."""
        self._http.post(f"/servers/{server_id}/action", {"lock": {"locked_reason": reason}})

    def unlock(self, server_id: str) -> None:
        """Let its owner act on it again."""
        self._http.post(f"/servers/{server_id}/action", {"unlock": None})

    def reset_to_error(self, server_id: str) -> None:
        """Put a server into a state in which Nova evacuates it."""
        self._http.post(f"/servers/{server_id}/action", {"os-resetState": {"state": "error"}})

    def start(self, server_id: str) -> None:
        """Start a stopped server."""
        self._http.post(f"/servers/{server_id}/action", {"os-start": None})

    def reset_to_active(self, server_id: str) -> None:
        """Put a server into the state active, by name alone."""
        self._http.post(f"/servers/{server_id}/action", {"os-resetState": {"state": "active"}})

    def stop(self, server_id: str) -> None:
        """Stop a server."""
        self._http.post(f"/servers/{server_id}/action", {"os-stop": None})

    def pause(self, server_id: str) -> None:
        """Pause a server."""
        self._http.post(f"/servers/{server_id}/action", {"pause": None})

    def suspend(self, server_id: str) -> None:
        """Suspend a server."""
        self._http.post(f"/servers/{server_id}/action", {"suspend": None})
