"""What happens in a play, by the words of its folder."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from instance_ha.store import hosts
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from instance_ha_simulator import cloud_happenings
from instance_ha_simulator.callers import Callers
from instance_ha_simulator.cloud.errors import ApiError, not_found
from instance_ha_simulator.monitors import Sources
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.simulation import Simulation


class Happenings:
    """Lets things happen in a simulation; ``tell`` takes a line of the log.

    ``postgres`` is the server of the database whose URL is ``url``, for stories about it.
    """

    def __init__(
        self,
        simulation: Simulation,
        sources: Sources,
        callers: Callers,
        tell: Callable[[str], None],
        postgres: Postgres | None,
        url: str,
    ) -> None:
        self._simulation, self._sources, self._callers, self._tell = simulation, sources, callers, tell
        self._postgres, self._url = postgres, url
        self._do: dict[str, Callable[[Any], object]] = {
            "notify": callers.notify,
            "database": self._switch_database,
            "tick": lambda function: simulation.call(function, "/", b"", {}),
            "api": callers.ask,
            "sql_admin": self._administer,
            "maintenance": lambda about: self.change_host(
                about["host"], on_maintenance=about["is"], on_maintenance_for=None
            ),
            "postgres_away": self._send_postgres_away,
            "standby_falls_behind": lambda _: simulation.database.fall_behind(),
            "standby_is_promoted": self._fail_over,
            "reserve_host": callers.reserve_host,
            "disable_segment": partial(callers.change_segment, enabled=False),
            "enable_segment": partial(callers.change_segment, enabled=True),
            "policy": callers.change_policy,
            "pause": callers.pause,
            "unpause": lambda _: callers.end_pause(),
            "approve": partial(callers.approve, verdict="approve"),
            "deny": partial(callers.approve, verdict="deny"),
            "return_host": callers.return_host,
            "stop_return": lambda _: callers.stop_return(),
            "purge": callers.purge,
            "kill_host": simulation.cloud.kill_host,
            "start_host": self._start_host,
        }

    def plan(self, happening: dict[str, Any]) -> None:
        """Let it happen when its time has come."""
        ((what, about),) = ((key, value) for key, value in happening.items() if key != "at")
        self._simulation.scheduler.spawn(what, partial(self._happen, what, about), float(happening["at"]))

    def _happen(self, what: str, about: Any) -> None:
        self._tell(f"{what} {about}")
        cloud = self._simulation.cloud
        try:
            if self._sources.happen(what, about) or cloud_happenings.happen(cloud, self._server, what, about):
                return
        except ApiError as error:
            self._tell(f"Nova answered {error.status} {error.message}")
            return
        self._do[what](about)

    def _server(self, name: str) -> str:
        for server in self._simulation.cloud.servers():
            if server.name == name:
                return server.id
        raise not_found(f"Instance {name} could not be found.")

    def _administer(self, statement: str) -> None:
        """Run SQL as the administrator of the database, whose name stands for DBNAME."""
        writable = {"options": "-c default_transaction_read_only=off"}
        url = self._url.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=writable)
        with engine.connect() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(statement.replace("DBNAME", name)))

    def _switch_database(self, to: str) -> None:
        assert self._postgres is not None
        switch = {"stop": self._postgres.stop, "start": self._postgres.start}[to]
        assert switch is not None
        switch()

    def _send_postgres_away(self, seconds: float) -> None:
        self._simulation.database.go_away(self._simulation.scheduler.now() + timedelta(seconds=seconds))

    def _fail_over(self, seconds: float) -> None:
        self._simulation.database.promote_standby()
        self._send_postgres_away(seconds)

    def _start_host(self, name: str) -> None:
        self._simulation.fences.start(name)
        self._simulation.cloud.start_host(name)

    def change_host(self, name: str, **values: Any) -> None:
        """Change a registered host, without the API, which refuses that while it is recovered."""
        with self._simulation.world.database.begin() as connection:
            host = hosts.by_name(connection, name)
            assert host is not None
            hosts.change(connection, host.uuid, values, self._simulation.scheduler.now())
