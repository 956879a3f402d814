"""When recoveries of hosts are held although each of them would be right by itself."""

from typing import Annotated

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds

_Share = Annotated[float, Field(gt=0, le=1)]


class GateSettings(Part):
    """When recoveries of hosts are held although each of them would be right by itself (docs/gates.md)."""

    storm_window: Seconds = Field(
        60,
        gt=0,
        description="How long a reported host counts towards a storm; longer while its failure is being handled.",
    )
    storm_segment_number: Count = Field(
        3,
        ge=0,
        description="A storm in a segment: this many failed hosts, if they are also `storm_segment_share`. 0: off.",
    )
    storm_segment_share: _Share = Field(0.4, description="The share of the segment's hosts that must have failed, too.")
    storm_cloud_number: Count = Field(
        5,
        ge=0,
        description="A storm in the cloud: this many failed hosts of all segments, if they are also "
        "`storm_cloud_share`. 0: off.",
    )
    storm_cloud_share: _Share = Field(
        0.2, description="The share of the hosts of all segments that must have failed, too."
    )
    recovery_rate: Count = Field(
        20,
        ge=0,
        description="Recoveries of hosts that may begin within `recovery_rate_window`; more are held. 0: no limit.",
    )
    recovery_rate_window: Seconds = Field(600, gt=0, description="The time for which they are counted.")
    host_recoveries_per_day: Count = Field(
        3,
        ge=0,
        description="Recoveries of one host that may finish within 24 hours; a further one is held (quarantine). "
        "0: no limit.",
    )
    peers_down_number: Count = Field(
        3,
        ge=0,
        description="A recovery is held when Nova calls this many other hosts of the segment down, if they are also "
        "`peers_down_share`. 0: off.",
    )
    peers_down_share: _Share = Field(
        0.5, description="The share of the other hosts of the segment that must be down, too."
    )
