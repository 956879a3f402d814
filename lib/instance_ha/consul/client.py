"""python-consul, with what it lacks: time limits, the token as a header, addresses that no variable can change."""

from typing import Any

import requests
from consul.base import ConsulException
from consul.std import Consul, HTTPClient

from instance_ha.consul.clusters import Cluster
from instance_ha.http_limits import limit, within
from instance_ha.models.errors import SourceUnavailable, TimeIsUp


class _Http(HTTPClient):  # type: ignore[misc]
    """Its transport."""

    def __init__(self, cluster: Cluster) -> None:
        verify = str(cluster.ca_file) if cluster.ca_file else True
        super().__init__(cluster.host, cluster.port, cluster.scheme, verify, cluster.certificate)
        self._timeout = cluster.timeout
        self.session.trust_env = False
        limit(self.session.get_adapter(f"{cluster.scheme}://").poolmanager)
        if cluster.token:
            self.session.headers["X-Consul-Token"] = cluster.token

    def get(self, callback: Any, path: str, params: Any = None) -> Any:
        """Ask, no longer than the cluster's time limit; python-consul would wait for ever."""
        answer = self.session.get(
            self.uri(path, params), verify=self.verify, cert=self.cert, timeout=self._timeout, allow_redirects=False
        )
        return callback(self.response(answer))


class _Client(Consul):  # type: ignore[misc]
    """A client of one agent. CONSUL_HTTP_ADDR and the like would make all three clusters one: they do not count."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        super().__init__()

    def connect(self, *_: object) -> _Http:
        """Make the transport, whatever python-consul has read from the environment."""
        return _Http(self._cluster)


class Agent:
    """One agent, and the questions that we ask it."""

    def __init__(self, cluster: Cluster) -> None:
        self.network = cluster.network
        self._timeout = cluster.timeout
        self._client = _Client(cluster)

    def members(self) -> dict[str, int]:
        """Return the status of every member by its name, as the gossip has it.

        Raises:
            SourceUnavailable: the agent does not answer, refuses, knows no leader, or lists no member.

        """
        # An agent that is cut off from the servers may still list members: all as failed but itself.
        if not self._ask(self._client.status.leader):
            raise SourceUnavailable(f"the Consul cluster {self.network} has no leader")
        try:
            found = {str(member["Name"]): int(member["Status"]) for member in self._ask(self._client.agent.members)}
        except (TypeError, KeyError, ValueError):
            raise SourceUnavailable(f"the Consul agent of {self.network} gave an answer that is not a list") from None
        if not found:  # with ACLs on, that is what a token without rights sees
            raise SourceUnavailable(
                f"the Consul agent of {self.network} lists no member: does its token allow node:read?"
            )
        return found

    def _ask(self, question: Any) -> Any:
        try:
            with within(self._timeout):
                return question()
        except (requests.Timeout, TimeIsUp):
            raise SourceUnavailable(f"the Consul agent of {self.network} did not answer in time") from None
        except requests.RequestException as error:
            reason = type(error).__name__
            raise SourceUnavailable(f"the Consul agent of {self.network} cannot be reached: {reason}") from None
        except ConsulException as error:
            words = " ".join(str(error).split())[:200]
            reason = f"{type(error).__name__} {words}".strip()
            raise SourceUnavailable(f"the Consul agent of {self.network} refused: {reason}") from None
        except (ValueError, KeyError):  # no JSON; a 404 without Consul's headers
            raise SourceUnavailable(f"the Consul agent of {self.network} gave an answer that is not Consul's") from None
