"""A client's connection that holds up nobody who answers it."""

import socket
from typing import Any


class Outgoing:
    """A socket whose ``sendall`` sends what the client takes at once, and keeps the rest for ``flush``."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.unsent = bytearray()

    def __getattr__(self, name: str) -> Any:  # all that gunicorn and the selectors ask of a socket
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """Send behind what is still unsent; raises OSError when the client has gone."""
        self.unsent += data
        self.flush()

    def flush(self) -> None:
        """Send of what is unsent as much as the client takes; raises OSError when it has gone."""
        while self.unsent:
            try:
                sent = self._sock.send(self.unsent, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            del self.unsent[:sent]
