"""Explanations of recoveries: ours, Masakari has nothing like it."""

from pydantic import Field

from instance_ha.api.schemas.base import ApiModel
from instance_ha.api.schemas.types import Shown
from instance_ha.decide.explanation import Reply
from instance_ha.models.enums import NotificationStatus, NotificationType


class Because(ApiModel):
    """One row behind an answer."""

    at: Shown
    text: str
    table: str
    id: int = Field(description="Number of the row in its table.")


class Question(ApiModel):
    """One question and its answer."""

    question: str
    answer: Reply
    text: str
    because: list[Because] = Field(description="The rows behind the answer, in the order of time; at most 50.")


class Explanation(ApiModel):
    """Why a recovery is where it is: five questions in their order."""

    notification_uuid: str
    type: NotificationType
    status: NotificationStatus
    host: str | None = Field(description="Null: it is not registered any more.")
    waits_for: str | None = Field(description="What is waited for, and what releases it; null: it has ended.")
    questions: list[Question]


class ExplanationEnvelope(ApiModel):
    """One explanation."""

    explanation: Explanation
