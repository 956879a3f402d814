"""The JSON schema of everything that is sent, for consumers: docs/events.schema.json."""

from typing import Any

from pydantic.json_schema import models_json_schema

from instance_ha.sinks.envelope import FAMILIES, Envelope
from instance_ha.sinks.payloads import PAYLOADS, Payload


def document() -> dict[str, Any]:
    """Return the schema of an event: one of the families."""
    models: list[tuple[type[Envelope] | type[Payload], Any]] = [(Envelope, "validation")]
    models += [(payload, "validation") for payload in PAYLOADS]
    schemas = _without_defaults(models_json_schema(models)[1]["$defs"])
    envelope = schemas.pop("Envelope")
    del schemas["Payload"]
    for payload in PAYLOADS:
        schemas[payload.__name__] = _versioned(payload, schemas[payload.__name__])
    for family in FAMILIES:
        own = {
            "event_type": {"enum": list(family.event_types), "title": "Event Type", "type": "string"},
            "payload": {"$ref": f"#/$defs/{family.payload.__name__}"},
        }
        schemas[family.name] = {
            **envelope,
            "title": family.name,
            "description": family.text,
            "properties": {**envelope["properties"], **own},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event of instance HA",
        "description": "The data of the CloudEvents org.openstack.instanceha.<event_type>.",
        "oneOf": [{"$ref": f"#/$defs/{family.name}"} for family in FAMILIES],
        "$defs": dict(sorted(schemas.items())),
    }


def _versioned(payload: type[Payload], data: dict[str, Any]) -> dict[str, Any]:
    """Describe an object as it is sent: its head, and its fields as data."""
    head = {key: {"const": value, "type": "string"} for key, value in payload.head().items()}
    return {
        "title": data.pop("title"),
        "description": data.pop("description"),
        "type": "object",
        "additionalProperties": False,
        "properties": {**head, "masakari_object.data": data},
        "required": [*head, "masakari_object.data"],
    }


def _without_defaults(part: Any) -> Any:
    """A field that is not sent has no default: it is not known."""
    if isinstance(part, dict):
        return {key: _without_defaults(value) for key, value in part.items() if key != "default"}
    return [_without_defaults(value) for value in part] if isinstance(part, list) else part
