"""What is promised before anything has failed."""

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds


class ReadinessSettings(Part):
    """What is promised before anything has failed (docs/readiness.md)."""

    readiness_survives: Count = Field(
        1,
        ge=0,
        description="Any so many hosts of a segment are to be able to die so that all instances still fit. "
        "Events say when that is not so any more, and when it is again. 0: it is not promised.",
    )
    readiness_max_age: Seconds = Field(
        3600, gt=0, description="What the function `readiness` has found so long ago, or longer, counts as not known."
    )
    capacity_hold: bool = Field(
        False,
        description="Hold the recovery of a host of which readiness has found that some of its instances fit nowhere, "
        "until an operator approves it. Without it only the decision log says so.",
    )
