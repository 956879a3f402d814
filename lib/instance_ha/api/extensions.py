"""``/extensions``: the parts of the API, as Masakari lists them."""

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.discovery import Extension, ExtensionEnvelope, ExtensionsEnvelope
from instance_ha.models.errors import NotFound

_PARTS = {
    "extensions": ("Extensions", "Lists the parts of the API."),
    "notifications": ("Notifications", "Reports of failures."),
    "os-hosts": ("Hosts", "Compute hosts of a segment."),
    "segments": ("Segments", "Hosts that stand in for each other."),
    "versions": ("Versions", "Versions of the API."),
    "vmoves": ("VMoves", "Evacuations of instances."),
}


def index(call: Call, _: Nothing) -> ExtensionsEnvelope:
    """List the parts of the API that the caller may know of."""
    return ExtensionsEnvelope(extensions=[_shown(alias) for alias in _PARTS if _discoverable(call, alias)])


def show(call: Call, _: Nothing) -> ExtensionEnvelope:
    """Show a part of the API."""
    alias = call.path["alias"]
    if alias not in _PARTS or not _discoverable(call, alias):
        raise NotFound(f"there is no extension {alias}")
    return ExtensionEnvelope(extension=_shown(alias))


def _discoverable(call: Call, alias: str) -> bool:
    return call.caller is not None and call.world.policy.allows(call.caller, f"{alias}:discoverable")


def _shown(alias: str) -> Extension:
    name, description = _PARTS[alias]
    return Extension(name=name, alias=alias, description=description, namespace="", updated="", links=[])


ROUTES = (
    Route("/extensions", {"GET": Operation(index, ExtensionsEnvelope, rule="extensions:index")}),
    Route(
        "/extensions/<alias>", {"GET": Operation(show, ExtensionEnvelope, rule="extensions:detail", refusals=(404,))}
    ),
)
