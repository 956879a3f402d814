"""Copies what an existing Masakari has in its own database: ``instance-ha import`` (docs/switch-over.md)."""
