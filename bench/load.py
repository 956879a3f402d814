"""Many requests over several connections: how long each took, and what the server's processes needed of the CPU."""

import http.client
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

from bench.children import cpu_seconds


class Refused(Exception):
    """A request was not answered as it should be; the text is the answer."""


@dataclass(frozen=True)
class Request:
    """What is asked, and the code of its answer."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None = None
    code: int = 200


@dataclass(frozen=True)
class Load:
    """What many requests have taken."""

    seconds: float
    latencies: tuple[float, ...]  # seconds
    cpu: float  # seconds

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    @property
    def cpu_each(self) -> float:
        """Milliseconds of CPU that a request has cost the server."""
        return 1000 * self.cpu / len(self.latencies)

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which so many of 100 requests were answered."""
        return 1000 * quantiles(self.latencies, n=100)[percent - 1]


def put(port: int, pid: int, connections: int, requests: int, ask: Callable[[int], Request]) -> Load:
    """Send so many requests to a server, each connection one after the other; ``ask`` makes the one of a number.

    Raises:
        Refused: an answer is another than was to be expected.

    """
    numbers, before, begun = count(), cpu_seconds(pid), time.perf_counter()

    def client(_: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        latencies = []
        while (number := next(numbers)) < requests:
            latencies.append(_ask(connection, ask(number)))
        connection.close()
        return latencies

    with ThreadPoolExecutor(connections) as pool:
        latencies = [one for found in pool.map(client, range(connections)) for one in found]
    return Load(time.perf_counter() - begun, tuple(latencies), cpu_seconds(pid) - before)


def _ask(connection: http.client.HTTPConnection, request: Request) -> float:
    begun = time.perf_counter()
    connection.request(request.method, request.path, request.body, dict(request.headers))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != request.code:
        raise Refused(f"{request.method} {request.path}: {answer.status} {body[:300]!r}")
    return time.perf_counter() - begun
