"""Sinks at AWS, or at what speaks like it: SNS topics and SQS queues.

In a FIFO topic or queue (``….fifo``) the order of events about the same thing is kept, and doubles are dropped there.
"""

from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from instance_ha import aws
from instance_ha.http_limits import within
from instance_ha.models.errors import SinkRefused, SinkUnavailable, TimeIsUp
from instance_ha.models.events import EVENT_PREFIX, Event, Sink
from instance_ha.sinks.senders import structured

_REFUSED = frozenset({"InvalidParameter", "InvalidParameterValue", "InvalidMessageContents", "MessageTooLong"})


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
        try:
            with within(self._timeout):
                self._put(structured(event), MessageAttributes=attributes, **extra)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "unknown"))
            kind = SinkRefused if code in _REFUSED else SinkUnavailable
            raise kind(f"sink {self._sink.name} answered {code}") from None
        except TimeIsUp:
            raise SinkUnavailable(f"sink {self._sink.name} does not answer in time") from None
        except BotoCoreError as error:
            raise SinkUnavailable(f"sink {self._sink.name} does not answer: {type(error).__name__}") from None

    def _put(self, text: str, **how: Any) -> None:
        raise NotImplementedError


class TopicSender(_AwsSender):
    """Publishes to a topic."""

    service = "sns"

    def _put(self, text: str, **how: Any) -> None:
        self._client.publish(TopicArn=self._sink.address, Message=text, **how)


class QueueSender(_AwsSender):
    """Sends to a queue."""

    service = "sqs"

    def _put(self, text: str, **how: Any) -> None:
        self._client.send_message(QueueUrl=self._sink.address, MessageBody=text, **how)
