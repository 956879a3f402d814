"""What all groups of settings have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "INSTANCE_HA_"
Seconds = Annotated[float, Field(le=2_000_000)]  # 23 days; a socket takes no longer time limit
Count = Annotated[int, Field(le=1_000_000_000)]  # fits an integer of Postgres


class Part(BaseModel):
    """Settings that belong together; a section of docs/configuration.md."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
