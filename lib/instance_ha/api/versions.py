"""The version documents; anybody may read them (reference, section 1.2 and 10.3 A9)."""

from typing import Any

from instance_ha.api import microversion
from instance_ha.api.web import Call, Reply, Route
from instance_ha.models.errors import NotFound


def _version(call: Call) -> dict[str, Any]:
    return {
        "id": "v1.0",
        "status": "CURRENT",
        "version": microversion.text(microversion.HIGHEST),
        "min_version": microversion.text(microversion.LOWEST),
        "updated": "2016-07-01T11:33:21Z",
        "links": [{"rel": "self", "href": f"{call.base_url}/v1/"}],
    }


def _media_types() -> list[dict[str, str]]:
    return [{"base": "application/json", "type": "application/vnd.openstack.masakari+json;version=1"}]


def index(call: Call) -> Reply:
    """``GET /``."""
    return Reply(200, {"versions": [_version(call)]})


def show(call: Call) -> Reply:
    """``GET /v1``, ``/v1/`` and ``/v1/versions/v1.0``."""
    if call.path.get("version_id", "v1.0") != "v1.0":
        raise NotFound("there is no such version")
    document = _version(call) | {"media-types": _media_types()}
    described = {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"}
    document["links"] = [*document["links"], described]
    return Reply(200, {"version": document})


def choices(call: Call) -> Reply:
    """Any other path outside /v1: 300 with the versions to choose from."""
    href = f"{call.base_url}/v1/{call.path['anything']}"
    choice = {"id": "v1.0", "status": "CURRENT", "links": [{"rel": "self", "href": href}]}
    return Reply(300, {"choices": [choice | {"media-types": _media_types()}]})


ROUTES = (
    Route("/", {"GET": index}, public=True),
    Route("/v1", {"GET": show}, public=True),
    Route("/v1/", {"GET": show}, public=True),
    Route("/v1/versions/<version_id>", {"GET": show}, public=True),
    Route("/<path:anything>", {"GET": choices}, public=True),
)
