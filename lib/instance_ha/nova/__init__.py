"""The requests to Nova that recovery makes, and nothing else of it (reference, section 5.1)."""

from instance_ha.nova.client import NovaClient

__all__ = ["NovaClient"]
