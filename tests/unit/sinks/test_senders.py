"""How sinks are spoken to: a real web server, and moto's SNS and SQS."""

import json
from uuid import uuid4

import pytest
from instance_ha.models.errors import SinkRefused, SinkUnavailable
from instance_ha.models.events import Event, parse_sinks
from instance_ha.settings import load
from instance_ha.sinks.envelope import write
from instance_ha.sinks.senders import Senders

from tests.followers import KEYS, Aws, Follower
from tests.receivers import drip, flood, receiver
from tests.unit.build import NOW, segment

TYPE = "org.openstack.instanceha.segment.create.end"


def event() -> Event:
    """An event about a segment."""
    event_id = str(uuid4())
    values = vars(segment(name="r\u00e4ck")) | {"fault": None}
    body = write("segment.create.end", event_id, "ctl1", NOW, values)
    return Event(event_id=event_id, event_type="segment.create.end", subject="s", created_at=NOW, body=body)


def send(address: str, sent: Event, **settings: str) -> None:
    """Send an event to a sink."""
    (sink,) = parse_sinks(f"one={address}")
    Senders(load({"DATABASE_URL": "postgresql://db/ha", **settings}), KEYS).send(sink, sent)


def test_a_url_gets_a_cloud_event_in_binary_mode_with_the_notification_as_its_data(follower: Follower) -> None:
    sent = event()
    send(follower.url, sent)
    (got,) = follower.got
    assert (got["id"], got["type"], got["subject"], got["time"]) == (sent.event_id, TYPE, "s", NOW.isoformat())
    assert got.data == json.loads(sent.body)


def test_the_connection_to_a_url_is_kept(follower: Follower) -> None:
    (sink,) = parse_sinks(f"one={follower.url}")
    senders = Senders(load({"DATABASE_URL": "postgresql://db/ha"}), {})
    follower.answers = [200, 202, 204]
    for _ in range(3):
        senders.send(sink, event())
    assert (len(follower.got), len(follower.ports)) == (3, 1)


@pytest.mark.parametrize("code", [400, 409, 413, 415, 422])
def test_a_status_that_is_about_the_event_is_a_refusal(follower: Follower, code: int) -> None:
    follower.answers = [code]
    with pytest.raises(SinkRefused, match=str(code)):
        send(follower.url, event())


@pytest.mark.parametrize("code", [301, 307, 401, 403, 404, 429, 500, 503])
def test_any_other_status_means_that_the_sink_takes_nothing_now(follower: Follower, code: int) -> None:
    follower.answers = [code]
    with pytest.raises(SinkUnavailable, match=str(code)):
        send(follower.url, event())
    assert follower.paths == ["/events"]  # a redirection is not followed


def test_a_sink_that_is_not_there_is_away_and_its_address_is_not_told() -> None:
    with pytest.raises(SinkUnavailable) as raised:
        send("http://user:s3cret@127.0.0.1:1/t0ken", event())
    assert not {"s3cret", "t0ken"} & set(str(raised.value))
    assert "s3cret" not in str(raised.value)


def test_a_queue_gets_the_whole_cloud_event_and_its_type_beside_it(aws: Aws) -> None:
    queue, sent = aws.queue("plain"), event()
    send(f"sqs+{queue}", sent, INSTANCE_HA_EVENT_ENDPOINT_URL=aws.url)
    (message,) = aws.messages(queue)
    assert (message["Body"]["id"], message["Body"]["type"]) == (sent.event_id, TYPE)
    assert message["Body"]["data"] == json.loads(sent.body)
    assert message["MessageAttributes"]["type"]["StringValue"] == TYPE


def test_a_fifo_queue_keeps_the_order_of_a_thing_and_drops_doubles(aws: Aws) -> None:
    queue, sent = aws.queue("ordered.fifo"), event()
    for _ in range(2):
        send(f"sqs+{queue}", sent, INSTANCE_HA_EVENT_ENDPOINT_URL=aws.url)
    (message,) = aws.messages(queue)
    assert message["Attributes"]["MessageGroupId"] == "s"


def test_a_topic_hands_the_cloud_event_to_its_subscribers(aws: Aws) -> None:
    topic, queue = aws.topic_with_queue("subscriber", RawMessageDelivery="true")
    sent = event()
    send(topic, sent, INSTANCE_HA_EVENT_ENDPOINT_URL=aws.url)
    (message,) = aws.messages(queue)
    assert message["Body"]["data"] == json.loads(sent.body)


def test_a_topic_or_queue_that_is_not_there_is_away(aws: Aws) -> None:
    for address in ("arn:aws:sns:eu-north-1:123456789012:none", f"sqs+{aws.url}/123456789012/none"):
        with pytest.raises(SinkUnavailable):
            send(address, event(), INSTANCE_HA_EVENT_ENDPOINT_URL=aws.url)


def test_aws_that_does_not_answer_is_away() -> None:
    with pytest.raises(SinkUnavailable, match="EndpointConnectionError"):
        send("arn:aws:sns:eu-north-1:1:t", event(), INSTANCE_HA_EVENT_ENDPOINT_URL="http://127.0.0.1:1")


@pytest.mark.parametrize(
    "text",
    ["http://s3cret", "a=ftp://s3cret", "A=http://s3cret", "a=", "a=http://x b", "a=http://s3cret a=http://y"],
)
def test_sinks_that_make_no_sense_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_sinks(text)
    assert "s3cret" not in str(raised.value)


def test_a_sink_never_shows_its_address() -> None:
    assert "s3cret" not in repr(parse_sinks("a=http://u:s3cret@host/"))


@pytest.mark.parametrize("address", ["sqs+http://queue.test/q", "arn:aws:sns:eu-north-1:1:t"])
def test_an_endpoint_of_aws_that_answers_a_byte_at_a_time_is_unavailable(address: str) -> None:
    with receiver(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")) as url, pytest.raises(SinkUnavailable):
        send(address, event(), INSTANCE_HA_EVENT_ENDPOINT_URL=url, INSTANCE_HA_EVENT_TIMEOUT="0.5")


def test_a_url_that_answers_a_byte_at_a_time_is_unavailable() -> None:
    with receiver(drip(b"HTTP/1.1 204 No Content\r\nX: ")) as url, pytest.raises(SinkUnavailable):
        send(url, event(), INSTANCE_HA_EVENT_TIMEOUT="0.5")


@pytest.mark.parametrize("address", ["sqs+http://queue.test/q", "arn:aws:sns:eu-north-1:1:t"])
def test_of_an_endpoint_of_aws_whose_answer_does_not_end_no_more_is_read_than_any_answer_has(
    aws: Aws, address: str
) -> None:
    sent: list[int] = []
    with receiver(flood(sent)) as url, pytest.raises(SinkUnavailable):
        send(address, event(), INSTANCE_HA_EVENT_ENDPOINT_URL=url, INSTANCE_HA_EVENT_TIMEOUT="20")
    assert len(sent) < 300
