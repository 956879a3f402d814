"""The simulated cloud over HTTP, on the loopback interface."""

from collections.abc import Iterable
from functools import partial
from threading import Event, Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from waitress.channel import ClientDisconnected
from waitress.server import create_server

from instance_ha_simulator.cloud.faults import DroppedConnectionError

_CONNECTIONS = 1000  # monitors keep theirs open, and above the limit nobody is answered


def hang_up_on_drop(app: WSGIApplication) -> WSGIApplication:
    """Let waitress close the connection without an answer where a fault drops it."""

    def run(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return app(environ, start_response)
        except DroppedConnectionError as error:
            raise ClientDisconnected from error

    return run


class LoopbackServer:
    """A web server for an application; port 0 means any that is free."""

    def __init__(self, app: WSGIApplication, port: int = 0, threads: int = 32) -> None:
        self._connections: dict[int, Any] = {}
        self._server = create_server(
            hang_up_on_drop(app),
            self._connections,
            host="127.0.0.1",
            port=port,
            threads=threads,
            backlog=256,
            connection_limit=_CONNECTIONS,
            asyncore_use_poll=True,
        )
        self.url = f"http://127.0.0.1:{self._server.effective_port}"  # type: ignore[union-attr]
        self._thread = Thread(target=self._server.run, name="sim", daemon=True)

    def run(self) -> None:
        """Serve until interrupted."""
        self._server.run()

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End what `start` began; what has ended stays so."""
        if not self._thread.is_alive():
            return
        self._server.task_dispatcher.shutdown(timeout=1)
        pulled = Event()
        self._server.trigger.pull_trigger(partial(self._close_all, pulled))  # type: ignore[union-attr]
        pulled.set()
        self._thread.join(5)

    def _close_all(self, pulled: Event) -> None:
        """Let the loop end: in its own thread, and with the connections that clients keep alive.

        The trigger is closed when nobody pulls it any more: its number may be another file's a moment later.
        """
        pulled.wait()
        for connection in list(self._connections.values()):
            connection.close()
