"""What is promised before anything has failed."""

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds


class ReadinessSettings(Part):
    """What is promised before anything has failed (docs/readiness.md)."""

    readiness_survives: Count = Field(
        1,
        ge=0,
        description="Hosts of a segment, whichever they are, that shall be able to die so that all instances still "
        "fit. Events say when that is no longer so, and when it is again. 0: nothing is promised.",
    )
    readiness_max_age: Seconds = Field(
        3600, gt=0, description="What the function `readiness` has found longer ago than this counts as not known."
    )
    capacity_hold: bool = Field(
        False,
        description="Hold the recovery of a host, until an operator approves it, if readiness has found that some of "
        "its instances fit nowhere. Otherwise only the decision log says so.",
    )
