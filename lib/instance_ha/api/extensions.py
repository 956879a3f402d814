"""``/extensions``: the parts of the API, as the original lists them (reference, section 1.13)."""

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.discovery import Extension, ExtensionAnswer, ExtensionsAnswer
from instance_ha.models.errors import NotFound

_PARTS = {
    "extensions": ("Extensions", "Lists the parts of the API."),
    "notifications": ("Notifications", "Reports of failures."),
    "os-hosts": ("Hosts", "Compute hosts of a segment."),
    "segments": ("Segments", "Hosts that stand in for each other."),
    "versions": ("Versions", "Versions of the API."),
    "vmoves": ("VMoves", "Evacuations of instances."),
}


def index(call: Call, _: Nothing) -> ExtensionsAnswer:
    """List the parts of the API that the caller may know of."""
    return ExtensionsAnswer(extensions=[_shown(alias) for alias in _PARTS if _discoverable(call, alias)])


def show(call: Call, _: Nothing) -> ExtensionAnswer:
    """Show a part of the API."""
    alias = call.path["alias"]
    if alias not in _PARTS or not _discoverable(call, alias):
        raise NotFound(f"there is no extension {alias}")
    return ExtensionAnswer(extension=_shown(alias))


def _discoverable(call: Call, alias: str) -> bool:
    return call.caller is not None and call.world.policy.allows(call.caller, f"{alias}:discoverable")


def _shown(alias: str) -> Extension:
    name, description = _PARTS[alias]
    return Extension(name=name, alias=alias, description=description, namespace="", updated="", links=[])


ROUTES = (
    Route("/extensions", {"GET": Operation(index, ExtensionsAnswer, rule="extensions:index")}),
    Route("/extensions/<alias>", {"GET": Operation(show, ExtensionAnswer, rule="extensions:detail", refusals=(404,))}),
)
