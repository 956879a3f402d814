"""A sink that is a URL."""

from contextlib import suppress

import requests
from urllib3.exceptions import HTTPError

from instance_ha.decide.delivery import DeliveryResult, delivery_result
from instance_ha.models.errors import SinkRefused, SinkUnavailable
from instance_ha.models.events import Event, Sink
from instance_ha.sinks.senders import binary

_SHORT = 4096  # bytes of an answer that are read, so that its connection can be used again


class HttpSender:
    """Posts CloudEvents, on a connection that is kept."""

    def __init__(self, sink: Sink, timeout: float) -> None:
        self._sink = sink
        self._timeout = timeout
        self._http = requests.Session()
        self._http.trust_env = False

    def send(self, event: Event) -> None:
        """Post an event; what is answered beside the status does not matter."""
        headers, body = binary(event)
        try:
            answer = self._http.post(
                self._sink.address,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            with answer, suppress(HTTPError):
                answer.raw.read(_SHORT)
        except requests.RequestException as error:  # its text holds the address
            raise SinkUnavailable(f"sink {self._sink.name} does not answer: {type(error).__name__}") from None
        result = delivery_result(answer.status_code)
        if result is DeliveryResult.REFUSED:
            raise SinkRefused(f"sink {self._sink.name} answered {answer.status_code}")
        if result is DeliveryResult.UNAVAILABLE:
            raise SinkUnavailable(f"sink {self._sink.name} answered {answer.status_code}")
