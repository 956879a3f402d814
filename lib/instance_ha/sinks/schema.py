"""The JSON schema of everything that is sent, for consumers: docs/events.schema.json."""

from typing import Any

from pydantic.json_schema import models_json_schema

from instance_ha.sinks.envelope import EVENTS


def document() -> dict[str, Any]:
    """Return the schema of a notification: one of the kinds of events."""
    references, schemas = models_json_schema([(event, "serialization") for event in EVENTS])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Versioned notification of instance HA",
        "description": "The data of the CloudEvents org.openstack.instanceha.<event_type>.",
        "oneOf": [references[event, "serialization"] for event in EVENTS],
        "$defs": _without_defaults(schemas["$defs"]),
    }


def _without_defaults(part: Any) -> Any:
    """A field that is not sent has no default: it is not known."""
    if isinstance(part, dict):
        return {key: _without_defaults(value) for key, value in part.items() if key != "default"}
    return [_without_defaults(value) for value in part] if isinstance(part, list) else part
