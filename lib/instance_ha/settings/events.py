"""What relay reads: the receivers of events, and how long they may take."""

from pydantic import Field, SecretStr

from instance_ha.settings.part import Part, Seconds


class EventSettings(Part):
    """What relay reads: the receivers of events, and how long they may take."""

    event_sinks: SecretStr | None = Field(
        None,
        description="Receivers of events (docs/events.md): `name=address` entries; an address is a URL that "
        "takes CloudEvents, the ARN of an SNS topic, or `sqs+` and the URL of an SQS queue. Also read from the secret "
        "`event-sinks`. The same for all functions.",
    )
    event_timeout: Seconds = Field(10, gt=0, description="Time limit for handing one event to a sink.")
    event_give_up_after: Seconds = Field(
        86400, gt=0, description="An event that a sink has not accepted after this time becomes a dead letter."
    )
    event_interval: Seconds = Field(1, gt=0, description="Pause before an empty outbox is read again.")
    event_endpoint_url: str | None = Field(
        None, description="URL of SNS and SQS, if not AWS. Keys and region: as for every AWS client."
    )
    host: str | None = Field(
        None, description="Host name in the `publisher_id` of events; the name of the machine by default."
    )
