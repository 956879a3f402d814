"""What the Consul clusters together say of the hosts."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from instance_ha.consul.client import Agent
from instance_ha.consul.clusters import read
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.health import Observation, Reading, Snapshot
from instance_ha.settings import Settings

_ALIVE, _LEAVING, _LEFT, _FAILED = 1, 2, 3, 4  # serf's member status


class ConsulSource:
    """Asks the agents of all clusters, at the same time."""

    def __init__(self, settings: Settings) -> None:
        clusters, self.strategy = read(settings)
        self._agents = [Agent(cluster) for cluster in clusters]
        self._left = Reading.DOWN if settings.consul_left_is_down else Reading.UNKNOWN
        self._pool = ThreadPoolExecutor(len(clusters), thread_name_prefix="consul")

    def poll(self, listed: frozenset[str]) -> Snapshot:
        """Ask all clusters; if one of them does not answer there is no snapshot.

        Raises:
            SourceUnavailable: at least one cluster did not answer; gives the reason of each.

        """
        asked = [(agent, self._pool.submit(agent.members)) for agent in self._agents]
        members: dict[str, Mapping[str, int]] = {}
        problems = []
        for agent, answer in asked:
            try:
                members[agent.network] = answer.result()
            except SourceUnavailable as error:
                problems.append(str(error))
        if problems:
            raise SourceUnavailable("; ".join(problems))
        names = {name for cluster in members.values() for name in cluster}
        return Snapshot({name: self._observe({net: of.get(name) for net, of in members.items()}) for name in names})

    def _observe(self, statuses: Mapping[str, int | None]) -> Observation:
        """Read the serf status that a host has in each network; None where the cluster does not list it."""
        readings: dict[int | None, Reading] = {
            _ALIVE: Reading.UP,
            _LEAVING: self._left,
            _LEFT: self._left,
            _FAILED: Reading.DOWN,
        }
        vector = {network: readings.get(status, Reading.UNKNOWN) for network, status in statuses.items()}
        return Observation(vector, any(status in {_LEAVING, _LEFT} for status in statuses.values()))
