"""What carries the requests of keystoneauth's sessions."""

from typing import Any

from keystoneauth1.session import TCPKeepAliveAdapter

from instance_ha.http_limits import limit


class Transport(TCPKeepAliveAdapter):  # type: ignore[misc]  # keystoneauth has no types
    """Keystoneauth's own, on connections with limits for a whole exchange."""

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*given, **more)
        limit(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        limit(manager)
        return manager


def mount(session: Any, connections: int = 10) -> None:
    """Let a session of keystoneauth use it, with as many connections kept to one server."""
    for scheme in ("http://", "https://"):
        session.session.mount(scheme, Transport(pool_maxsize=connections))
