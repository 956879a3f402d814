"""How hosts are fenced (docs/fencing.md)."""

from pathlib import Path

from pydantic import Field

from instance_ha.settings.part import Part, Seconds


class FencingSettings(Part):
    """How hosts are fenced (docs/fencing.md)."""

    fencing_file: Path | None = Field(
        None,
        description="File that says how hosts are fenced; by default the secret `fencing-yaml`, if it is mounted.",
    )
    fence_timeout: Seconds = Field(
        10, gt=0, description="Time limit of one request to what cuts the power of a host: a BMC, Ironic, a URL."
    )
    fence_confirm_interval: Seconds = Field(
        2, gt=0, description="A host counts as off when its power is off twice, this many seconds apart."
    )
    never_fence: str = Field(
        "",
        description="Hosts that are never fenced: names, or patterns with `*`, separated by commas. List the hosts "
        "of your control plane here.",
    )
