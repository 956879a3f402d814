"""A sink that is a URL."""

from instance_ha.decide.delivery import DeliveryResult, delivery_result
from instance_ha.models.errors import SinkRefused, SinkUnavailable
from instance_ha.models.events import Event, Sink
from instance_ha.posting import NotAnswered, Poster, reach
from instance_ha.sinks.cloud_events import binary


class HttpSender:
    """Posts CloudEvents, on a connection that is kept."""

    def __init__(self, sink: Sink, timeout: float) -> None:
        """Make one that waits ``timeout`` seconds for a whole answer."""
        self._sink = sink
        self._timeout = timeout
        self._poster = Poster(timeout)

    def probe(self) -> str:
        """Connect, and send nothing: an event would be taken for one.

        Raises:
            SinkUnavailable: the sink takes no connection.

        """
        try:
            return reach(self._sink.address, self._timeout)
        except (OSError, ValueError) as error:
            raise SinkUnavailable(f"sink {self._sink.name} takes no connection: {type(error).__name__}") from None

    def send(self, event: Event) -> None:
        """Post an event; only the status of the answer matters.

        Raises:
            SinkUnavailable: the sink is not available now.
            SinkRefused: it does not take this event.

        """
        headers, body = binary(event)
        try:
            response = self._poster.post(self._sink.address, body, headers, self._timeout)
        except NotAnswered as error:
            raise SinkUnavailable(f"sink {self._sink.name} does not answer: {error}") from None
        result = delivery_result(response.status)
        if result is DeliveryResult.REFUSED:
            raise SinkRefused(f"sink {self._sink.name} answered {response.status}")
        if result is DeliveryResult.UNAVAILABLE:
            raise SinkUnavailable(f"sink {self._sink.name} answered {response.status}")
