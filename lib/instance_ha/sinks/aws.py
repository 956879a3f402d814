"""Sinks at AWS, or at what speaks like it: SNS topics and SQS queues.

In a FIFO topic or queue (``….fifo``) the order of events about the same thing is kept, and doubles are dropped there.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from instance_ha import aws
from instance_ha.http_limits import within
from instance_ha.models.errors import SinkRefused, SinkUnavailable, TimeIsUp
from instance_ha.models.events import EVENT_PREFIX, Event, Sink
from instance_ha.sinks.cloud_events import structured

_REFUSED = frozenset({"InvalidParameter", "InvalidParameterValue", "InvalidMessageContents", "MessageTooLong"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


class _AwsSender:
    """What both kinds have in common."""

    service = ""

    def __init__(self, sink: Sink, endpoint_url: str | None, timeout: float, environ: Mapping[str, str]) -> None:
        self._sink = sink
        self._timeout = timeout
        region = sink.address.split(":")[3] if self.service == "sns" else None
        # We do the retries.
        config = Config(connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1})
        self._client = aws.client(self.service, environ, config, endpoint_url, region)

    def send(self, event: Event) -> None:
        """Send an event; its type stands beside it too, for filters of subscriptions."""
        attributes = {
            "type": {"DataType": "String", "StringValue": f"{EVENT_PREFIX}{event.event_type}"},
            "subject": {"DataType": "String", "StringValue": event.subject},
        }
        fifo = {"MessageGroupId": event.subject, "MessageDeduplicationId": event.event_id}
        extra = fifo if self._sink.address.endswith(".fifo") else {}
        with self._speaking():
            self._put(structured(event), MessageAttributes=attributes, **extra)

    def probe(self) -> str:
        """Ask whether it is there, and send nothing; raises SinkUnavailable or SinkRefused."""
        with self._speaking():
            try:
                self._read()
            except ClientError as error:
                if _code(error) not in _DENIED:
                    raise
                return "not known whether it is there: our user may not read its attributes"
        return "is there; nothing was sent"

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Tell what an exchange fails for."""
        try:
            with within(self._timeout):
                yield
        except ClientError as error:
            code = _code(error)
            kind = SinkRefused if code in _REFUSED else SinkUnavailable
            raise kind(f"sink {self._sink.name} answered {code}") from None
        except TimeIsUp:
            raise SinkUnavailable(f"sink {self._sink.name} does not answer in time") from None
        except BotoCoreError as error:
            raise SinkUnavailable(f"sink {self._sink.name} does not answer: {type(error).__name__}") from None

    def _put(self, text: str, **how: Any) -> None:
        raise NotImplementedError

    def _read(self) -> None:
        raise NotImplementedError


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


class TopicSender(_AwsSender):
    """Publishes to a topic."""

    service = "sns"

    def _put(self, text: str, **how: Any) -> None:
        self._client.publish(TopicArn=self._sink.address, Message=text, **how)

    def _read(self) -> None:
        self._client.get_topic_attributes(TopicArn=self._sink.address)


class QueueSender(_AwsSender):
    """Sends to a queue."""

    service = "sqs"

    def _put(self, text: str, **how: Any) -> None:
        self._client.send_message(QueueUrl=self._sink.address, MessageBody=text, **how)

    def _read(self) -> None:
        self._client.get_queue_attributes(QueueUrl=self._sink.address, AttributeNames=["QueueArn"])
