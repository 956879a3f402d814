"""What all groups of settings have in common."""

from pydantic import BaseModel, ConfigDict

PREFIX = "INSTANCE_HA_"
Seconds = float


class Part(BaseModel):
    """Settings that belong together; a section of docs/configuration.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
