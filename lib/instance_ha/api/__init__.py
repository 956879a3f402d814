"""The REST API, wire-compatible with Masakari's."""
