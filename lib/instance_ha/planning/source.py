"""Where a plan is read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection

from instance_ha.models.ports import Clock, Nova
from instance_ha.settings import Settings


@dataclass(frozen=True)
class Source:
    """Where a plan is read. A recovery asks Nova, and reads rows, under its claim; nothing is changed through it."""

    nova: Nova
    read: Callable[[], AbstractContextManager[Connection]]
    clock: Clock
    settings: Settings
