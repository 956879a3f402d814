"""What readiness asks of Placement; nothing is ever changed there."""

from instance_ha.placement.client import PlacementClient

__all__ = ["PlacementClient"]
