"""The web server that the simulated cloud and the tests' own receivers run on."""

import socket
from threading import Event
from typing import Any

import pytest
from instance_ha_simulator.cloud.server import LoopbackServer


def test_a_server_can_be_stopped_while_its_loop_is_awake() -> None:
    server = LoopbackServer(answer_nothing, threads=1)
    served: Any = server._server
    trigger = served.trigger
    pull, ended = trigger._physical_pull, Event()

    def pull_late() -> None:
        pull()  # as the thread that has just answered does
        ended.wait(0.2)
        pull()

    trigger._physical_pull = pull_late
    server.start()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))):
        server.stop()
    server.stop()  # once more does nothing
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))


def answer_nothing(_environ: Any, start_response: Any) -> list[bytes]:
    """Answer."""
    start_response("204 No Content", [])
    return []
