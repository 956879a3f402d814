"""Copies what an existing Masakari knows from its own database: ``instance-ha import`` (docs/switch-over.md)."""
