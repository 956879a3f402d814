"""Sends an alert by Amazon SNS, or what speaks its language, before and after a recovery (docs/custom-tasks.md)."""

import os

import boto3
from botocore.config import Config
from instance_ha.models.custom import Report, TaskFacts


class Before:
    """Says that a recovery begins. Asked for twice it alerts twice, so after a crash it is not repeated."""

    name = "AlertBefore"
    time_limit = 20.0
    retries = 0
    text = "recovery of {type} on {host} begins"

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Publish to the topic of ALERT_TOPIC; whatever boto3 raises makes the task fail."""
        config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1})
        sns = boto3.client("sns", config=config)
        answer = sns.publish(
            TopicArn=os.environ["ALERT_TOPIC"], Message=self.text.format(type=facts.type, host=facts.host)
        )
        report(0.9, f"alert {answer['MessageId']} sent")


class After(Before):
    """Says that a recovery has ended."""

    name = "AlertAfter"
    text = "recovery of {type} on {host} has ended"
