"""The kinds of uuid. All are text; a type each, so that one cannot be given for another."""

from collections.abc import Mapping
from typing import Any, NewType
from uuid import UUID

SegmentUuid = NewType("SegmentUuid", str)
HostUuid = NewType("HostUuid", str)
NotificationUuid = NewType("NotificationUuid", str)
InstanceUuid = NewType("InstanceUuid", str)
VMoveUuid = NewType("VMoveUuid", str)


def instance_of(payload: Mapping[str, Any]) -> InstanceUuid | None:
    """Read which instance a report is about, spelled as Nova does: reports may use capitals, braces or no dashes.

    None when it names none.
    """
    try:
        return InstanceUuid(str(UUID(str(payload["instance_uuid"]))))
    except (KeyError, ValueError):
        return None
