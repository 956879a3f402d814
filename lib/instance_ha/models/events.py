"""Events for others: where they go, and one that waits to be sent."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EVENT_PREFIX = "org.openstack.instanceha."
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class SinkKind(StrEnum):
    """How a sink is spoken to."""

    HTTP = "http"  # a URL that takes CloudEvents
    SNS = "sns"  # a topic, by its ARN
    SQS = "sqs"  # a queue, by its URL


class OutboxState(StrEnum):
    """How far the sending of one event to one sink is."""

    PENDING = "pending"
    WAITING = "waiting"  # refused and not due yet, or kept back by one that is
    SENT = "sent"
    DEAD = "dead"  # given up; `instance-ha events resend` tries again


OPEN_MESSAGE = (OutboxState.PENDING, OutboxState.WAITING)


@dataclass(frozen=True)
class Sink:
    """A receiver of events. Its address may hold a password, so only its name is stored and shown."""

    name: str
    kind: SinkKind
    address: str

    def __repr__(self) -> str:
        return f"Sink({self.name})"


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened; ``body`` is its JSON, ``subject`` the uuid of what it is about."""

    event_id: str
    event_type: str
    subject: str
    created_at: datetime
    body: str


@dataclass(frozen=True, kw_only=True)
class Message:
    """An event on its way to one sink."""

    id: int
    event: Event
    tries: int


def parse_sinks(text: str) -> tuple[Sink, ...]:
    """Read ``name=address`` entries, between white space or commas.

    Raises:
        ValueError: says what is wrong, without repeating an address.

    """
    sinks = [_sink(number, entry) for number, entry in enumerate(re.split(r"[\s,]+", text.strip(" \t\r\n,")), 1)]
    names = [sink.name for sink in sinks]
    if len(set(names)) < len(names):
        raise ValueError("two sinks have the same name")
    return tuple(sinks)


def _sink(number: int, entry: str) -> Sink:
    name, _, address = entry.partition("=")
    if not _NAME.fullmatch(name) or not address:
        raise ValueError(f"entry {number} is not of the form name=address, the name in small letters, digits and -")
    if address.startswith(("http://", "https://")):
        return Sink(name, SinkKind.HTTP, address)
    if address.startswith(("sqs+http://", "sqs+https://")):
        return Sink(name, SinkKind.SQS, address.removeprefix("sqs+"))
    if re.match(r"arn:[^:]+:sns:[^:]+:", address):
        return Sink(name, SinkKind.SNS, address)
    forms = "an http(s):// URL, the ARN of an SNS topic, or an sqs+https:// queue URL"
    raise ValueError(f"the address of {name} must be {forms}")
