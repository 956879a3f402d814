"""The kinds of uuid. All are text; a type each, so that one cannot be given for another."""

from typing import NewType

SegmentUuid = NewType("SegmentUuid", str)
HostUuid = NewType("HostUuid", str)
NotificationUuid = NewType("NotificationUuid", str)
InstanceUuid = NewType("InstanceUuid", str)
VMoveUuid = NewType("VMoveUuid", str)
