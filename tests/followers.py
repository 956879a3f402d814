"""Those who follow events: a web server that keeps what it gets, and moto's AWS."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from cloudevents.http import CloudEvent, from_http
from flask import Request
from instance_ha_simulator.cloud.server import LoopbackServer
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto-s3cret", "AWS_DEFAULT_REGION": "eu-north-1"}


class Follower:
    """Takes CloudEvents; `answers` are the statuses of the next ones, 204 after."""

    def __init__(self) -> None:
        self.got: list[CloudEvent] = []
        self.paths: list[str] = []
        self.ports: set[str] = set()  # of those who called: one for each connection
        self.answers: list[int] = []
        self._server = LoopbackServer(self._answer, 0, 4)
        self._server.start()
        self.url = f"{self._server.url}/events"

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        self.paths.append(request.path)
        self.ports.add(environ["REMOTE_PORT"])
        code = self.answers.pop(0) if self.answers else 204
        if code < 300:
            self.got.append(from_http(dict(request.headers), request.get_data()))
        start_response(f"{code} any", [("Location", self.url)])
        return [b"" if code == 204 else b"taken, or not"]

    def about(self, subject: str) -> list[CloudEvent]:
        """Return the events about one thing, in order, each once."""
        return list({event["id"]: event for event in self.got if event["subject"] == subject}.values())

    def stop(self) -> None:
        """Close."""
        self._server.stop()


class Aws:
    """SNS, SQS and S3, empty."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str) -> Any:
        """Make a client."""
        keys = {"aws_access_key_id": "moto", "aws_secret_access_key": "moto-s3cret", "region_name": "eu-north-1"}
        return boto3.client(service, endpoint_url=self.url, **keys)

    def queue(self, name: str) -> str:
        """Have a queue; returns its URL."""
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return str(self.client("sqs").create_queue(QueueName=name, Attributes=fifo)["QueueUrl"])

    def topic_with_queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """Have a topic, and a queue that gets what is published there; returns its ARN, and the queue's URL."""
        topic = str(self.client("sns").create_topic(Name=name)["TopicArn"])
        queue = self.queue(name)
        arn = f"arn:aws:sqs:eu-north-1:123456789012:{name}"
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
        return topic, queue

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take what is in a queue."""
        found: list[dict[str, Any]] = []
        while True:
            how = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
            more = self.client("sqs").receive_message(QueueUrl=queue, **how).get("Messages", [])
            if not more:
                return found
            for message in more:
                self.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found += [message | {"Body": json.loads(message["Body"])} for message in more]


@contextmanager
def moto() -> Iterator[Aws]:
    """Run moto's server."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield Aws("http://{}:{}".format(*server.get_host_and_port()))
    finally:
        server.stop()
