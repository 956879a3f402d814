"""Tells an SNS topic that a recovery begins, and that it has ended. ``SNS_ALERT_TOPIC`` names the topic."""

import json
import os
from dataclasses import asdict

import boto3
from instance_ha.custom import ProgressCallback, TaskFacts, custom_task


def _publish(subject: str, facts: TaskFacts) -> None:
    sns = boto3.client("sns", endpoint_url=os.environ.get("SNS_ALERT_ENDPOINT"))
    sns.publish(TopicArn=os.environ["SNS_ALERT_TOPIC"], Subject=subject, Message=json.dumps(asdict(facts)))


@custom_task(time_limit=10, attempts=3, required=False)
def begin(facts: TaskFacts, report: ProgressCallback) -> None:
    """Tell that a recovery begins; a topic that cannot be reached must not stop it."""
    _publish(f"Recovery of {facts.host_name} begins", facts)
    report(0.9, "The topic was told")


@custom_task(time_limit=10, attempts=3, required=False)
def end(facts: TaskFacts, report: ProgressCallback) -> None:
    """Tell that a recovery has ended."""
    _publish(f"Recovery of {facts.host_name} has ended", facts)
    report(0.9, "The topic was told")
