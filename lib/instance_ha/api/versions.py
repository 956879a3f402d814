"""The version documents; anybody may read them."""

from instance_ha.api import microversion
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.discovery import (
    Choice,
    ChoicesEnvelope,
    Link,
    MediaType,
    Version,
    VersionEnvelope,
    VersionsEnvelope,
)
from instance_ha.models.errors import NotFound

_ID, _STATUS = "v1.0", "CURRENT"


def index(call: Call, _: Nothing) -> VersionsEnvelope:
    """List the versions of the API."""
    return VersionsEnvelope(versions=[_version(call)])


def show(call: Call, _: Nothing) -> VersionEnvelope:
    """Show the version and its microversions."""
    if call.path.get("version_id", _ID) != _ID:
        raise NotFound("there is no such version")
    version = _version(call)
    described = Link(rel="describedby", type="text/html", href="https://docs.openstack.org/")
    change = {"links": [*version.links, described], "media_types": _media_types()}
    return VersionEnvelope(version=version.model_copy(update=change))


def choices(call: Call, _: Nothing) -> ChoicesEnvelope:
    """Name the versions to choose from, for any other path outside /v1."""
    link = Link(rel="self", href=f"{call.base_url}/v1/{call.path['anything']}")
    return ChoicesEnvelope(choices=[Choice(id=_ID, status=_STATUS, links=[link], **{"media-types": _media_types()})])


def _version(call: Call) -> Version:
    return Version(
        id=_ID,
        status=_STATUS,
        version=microversion.text(microversion.HIGHEST),
        min_version=microversion.text(microversion.LOWEST),
        updated="2016-07-01T11:33:21Z",
        links=[Link(rel="self", href=f"{call.base_url}/v1/")],
    )


def _media_types() -> list[MediaType]:
    return [MediaType(base="application/json", type="application/vnd.openstack.masakari+json;version=1")]


# What is below /v1 after all, once its quoted slashes are read, is unknown there; so is what holds a line break or NUL.
_CHOICES = Operation(choices, ChoicesEnvelope, status=300, refusals=(401, 404))
_SHOW = Operation(show, VersionEnvelope)

ROUTES = (
    Route("/", {"GET": Operation(index, VersionsEnvelope)}, public=True),
    Route("/v1", {"GET": _SHOW}, public=True),
    Route("/v1/", {"GET": _SHOW}, public=True),
    Route("/v1/versions/<version_id>", {"GET": Operation(show, VersionEnvelope, refusals=(404,))}, public=True),
    Route("/<path:anything>", {"GET": _CHOICES}, public=True),
)
