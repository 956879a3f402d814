"""Purge: ours, Masakari has only a command for it."""

from typing import Annotated

from pydantic import Field, StrictInt

from instance_ha.api.schemas.base import ApiModel, Body
from instance_ha.api.schemas.types import Bool
from instance_ha.decide.purge import AGE_IN_DAYS, MAX_ROWS


class NewPurge(Body):
    """Which rows to purge."""

    age_in_days: Annotated[StrictInt, Field(description="Rows that ended so many days ago, or earlier.")] = AGE_IN_DAYS
    max_rows: Annotated[StrictInt, Field(description="Most rows over all tables; -1: all.")] = MAX_ROWS
    dry_run: Bool = Field(False, description="Count, and delete nothing.")


class CreatePurge(Body):
    """Body of a purge."""

    purge: NewPurge


class Purge(ApiModel):
    """What was purged."""

    dry_run: bool
    total: int
    tables: dict[str, int] = Field(description="Rows of each table.")
    complete: bool = Field(
        description="False: ask again. The time was up, `max_rows` reached, or a batch of more was left by a crash."
    )


class PurgeEnvelope(ApiModel):
    """What was purged."""

    purge: Purge
