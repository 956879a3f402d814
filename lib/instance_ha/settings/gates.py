"""When recoveries of hosts are held although each of them would be right by itself."""

from typing import Annotated

from pydantic import Field

from instance_ha.settings.part import Count, Part, Seconds

_Share = Annotated[float, Field(gt=0, le=1)]


class GateSettings(Part):
    """When recoveries of hosts are held although each of them would be right by itself (docs/gates.md)."""

    storm_window: Seconds = Field(
        60, gt=0, description="How long a reported host counts for a storm; longer while its failure is being handled."
    )
    storm_segment_number: Count = Field(
        3, ge=0, description="At least so many hosts of a segment are a storm, if they are the share too. 0: none are."
    )
    storm_segment_share: _Share = Field(0.4, description="The share of a segment's hosts that is a storm.")
    storm_cloud_number: Count = Field(
        5,
        ge=0,
        description="At least so many hosts of all segments are a storm, if they are the share too. 0: none are.",
    )
    storm_cloud_share: _Share = Field(0.2, description="The share of the hosts of all segments that is a storm.")
    recovery_rate: Count = Field(
        20, ge=0, description="So many recoveries of hosts may begin within `recovery_rate_window`. 0: any number."
    )
    recovery_rate_window: Seconds = Field(600, gt=0, description="The time that they are counted in.")
    host_recoveries_per_day: Count = Field(
        3,
        ge=0,
        description="After so many recoveries of a host that have finished within 24 hours a further one is held. "
        "0: any number.",
    )
    peers_down_number: Count = Field(
        3,
        ge=0,
        description="At least so many other hosts of the segment must be down by Nova for the recovery to be held, "
        "if they are the share too. 0: it never is.",
    )
    peers_down_share: _Share = Field(0.5, description="The share of the other hosts of the segment.")
