"""Hands events to sinks.

Each sink is served by one thread at a time, and has a client of its own, made at its first event: boto3 is not
imported where nothing goes to AWS.
"""

from collections.abc import Mapping
from typing import Protocol

from instance_ha.models.events import Event, Sink, SinkKind
from instance_ha.settings import Settings


class Sender(Protocol):
    """A client of one sink."""

    def send(self, event: Event) -> None:
        """Hand an event over."""

    def probe(self) -> str:
        """Ask whether the sink is there, and send no event; returns what is worth a word."""


class Senders:
    """The clients of all sinks."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._made: dict[str, Sender] = {}

    def send(self, sink: Sink, event: Event) -> None:
        """Hand an event over.

        Raises:
            SinkUnavailable: the sink is not available now.
            SinkRefused: it will not have this event.

        """
        if sink.name not in self._made:
            self._made[sink.name] = make(sink, self._settings, self._environ)
        self._made[sink.name].send(event)


def make(sink: Sink, settings: Settings, environ: Mapping[str, str]) -> Sender:
    """Make the client of a sink."""
    timeout = settings.event_timeout  # which the lease of its sink outlasts, or no function would have started
    if sink.kind is SinkKind.HTTP:
        from instance_ha.sinks.http import HttpSender

        return HttpSender(sink, timeout)
    from instance_ha.sinks.aws import QueueSender, TopicSender

    kind = TopicSender if sink.kind is SinkKind.SNS else QueueSender
    return kind(sink, settings.event_endpoint_url, timeout, environ)
