"""Stands before a server, hands every request on, and keeps what it answers."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3

_OF_THE_CONNECTION = {"content-length", "transfer-encoding", "connection"}


class Recorder:
    """A server of its own, whose exchanges go to a file."""

    def __init__(self, target: str, certificate: Path, before_a_later_page: Callable[[], None]) -> None:
        self.exchanges: list[dict[str, Any]] = []
        self._target, self._before = target, before_a_later_page
        self._pool = urllib3.PoolManager(ca_certs=str(certificate), retries=False)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def write(self, file: Path, made_by: str) -> None:
        """Write what was recorded."""
        file.parent.mkdir(exist_ok=True)
        recorded = {"recorded_from": made_by, "exchanges": self.exchanges}
        file.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, headers, body = recorder.ask(self.path, dict(self.headers.items()))
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def ask(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Hand a GET on, and keep the exchange."""
        asked = urlsplit(path)
        query = parse_qs(asked.query, keep_blank_values=True)
        if "continue" in query:
            self._before()
        sent = {name: value for name, value in headers.items() if name.lower() not in {"host", *_OF_THE_CONNECTION}}
        answer = self._pool.request("GET", self._target + path, headers=sent)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_THE_CONNECTION}
        body = json.loads(answer.data)
        assert written(body) == answer.data, "the body would not be served as it was"
        token = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
        request = {"path": asked.path, "query": query, "authorization": token}
        self.exchanges.append({"request": request, "status": answer.status, "headers": kept, "body": body})
        return answer.status, kept, answer.data


def written(body: Any) -> bytes:
    """Return JSON as the API server writes it: recordings are kept parsed, to be read, and served byte by byte."""
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f"{text}\n".encode()
