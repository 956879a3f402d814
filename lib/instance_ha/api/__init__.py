"""The REST API, wire-compatible with Masakari's (reference, section 1)."""
