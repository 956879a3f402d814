"""Serves what was recorded from a real server, byte by byte, to who asks the same again."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from instance_ha_simulator.cloud.server import LoopbackServer

from tests.recordings.recorder import written


class Replay:
    """The exchanges of one recording, in their order; what was not asked then is answered 599."""

    def __init__(self, file: Path) -> None:
        self.waiting: list[dict[str, Any]] = json.loads(file.read_text())["exchanges"]
        self.unexpected: list[dict[str, Any]] = []
        self._server = LoopbackServer(self._app(), 0, 1)
        self._server.start()
        self.url = self._server.url

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _app(self) -> Flask:
        app = Flask("replay")

        @app.get("/<path:_path>")
        def answer(_path: str) -> Response:
            query = {name: request.args.getlist(name) for name in request.args}
            asked = {"path": request.path, "query": query, "authorization": request.headers.get("Authorization")}
            if not self.waiting or self.waiting[0]["request"] != asked:
                self.unexpected.append(asked)
                return Response(status=599)
            exchange = self.waiting.pop(0)
            status = HTTPStatus(exchange["status"])
            return Response(written(exchange["body"]), f"{status.value} {status.phrase}", exchange["headers"])

        return app
