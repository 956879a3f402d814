"""The requests to Nova that recovery makes, and nothing else of it."""

from instance_ha.nova.client import NovaClient

__all__ = ["NovaClient"]
