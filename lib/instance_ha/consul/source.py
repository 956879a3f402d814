"""What the Consul clusters together say of the hosts."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from instance_ha.consul.client import Agent
from instance_ha.consul.clusters import read
from instance_ha.models.errors import SightUnavailable
from instance_ha.models.health import Sight, Sighting, View
from instance_ha.settings import Settings

_ALIVE, _LEAVING, _LEFT = 1, 2, 3  # serf's member status; 4 is failed
_ON_PURPOSE = frozenset({_LEAVING, _LEFT})


class ConsulSource:
    """Asks the agents of all clusters, at the same time."""

    def __init__(self, settings: Settings) -> None:
        clusters, self.strategy = read(settings)
        self._agents = [Agent(cluster) for cluster in clusters]
        self._left = Sight.DOWN if settings.consul_left_is_down else Sight.UNKNOWN
        self._pool = ThreadPoolExecutor(len(clusters), thread_name_prefix="consul")

    def look(self, _listed: frozenset[str]) -> View:
        """Ask all clusters; one that does not answer makes the whole answer none.

        Raises:
            SightUnavailable: at least one cluster is not known about; says of all of them why.

        """
        found: dict[str, Mapping[str, int]] = {}
        troubles = []
        for agent, asked in [(agent, self._pool.submit(agent.members)) for agent in self._agents]:
            try:
                found[agent.network] = asked.result()
            except SightUnavailable as error:
                troubles.append(str(error))
        if troubles:
            raise SightUnavailable("; ".join(troubles))
        names = {name for members in found.values() for name in members}
        return View({name: self._sighting(name, found) for name in names})

    def _sighting(self, name: str, found: Mapping[str, Mapping[str, int]]) -> Sighting:
        statuses = {network: members.get(name) for network, members in found.items()}
        gone = any(status in _ON_PURPOSE for status in statuses.values())
        return Sighting({network: self._sight(status) for network, status in statuses.items()}, gone)

    def _sight(self, status: int | None) -> Sight:
        if status is None:
            return Sight.UNKNOWN
        if status in _ON_PURPOSE:
            return self._left
        return Sight.UP if status == _ALIVE else Sight.DOWN
