"""How hosts are fenced (docs/fencing.md)."""

from pathlib import Path

from pydantic import Field

from instance_ha.settings.part import Part, Seconds


class FencingSettings(Part):
    """How hosts are fenced (docs/fencing.md)."""

    fencing_file: Path | None = Field(
        None,
        description="File that says how hosts are fenced; the secret `fencing-yaml` by default, where there is one.",
    )
    fence_timeout: Seconds = Field(
        10, gt=0, description="Time limit of one question to what cuts the power of a host: a BMC, Ironic, a URL."
    )
    fence_confirm_interval: Seconds = Field(
        2, gt=0, description="The power of a fenced host must be off, and off again so much later, to be believed."
    )
    never_fence: str = Field(
        "",
        description="Hosts that no recovery ever fences: names, or forms with `*` in them, with commas between. The "
        "hosts of your control plane belong here.",
    )
