"""Nova's API under /compute: versions, authentication, microversions, errors; the rest is in nova_*."""

from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, g, jsonify, request

from instance_ha_simulator.cloud import (
    instance_actions,
    microversion,
    nova_admin,
    nova_aggregates,
    nova_servers,
    nova_services,
    server_lists,
)
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, nova_body, unauthorized
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.microversion import MAX, MIN


def blueprint(cloud: Cloud) -> Blueprint:
    """Return Nova's API for this cloud."""
    root = Blueprint("nova", __name__, url_prefix="/compute")
    api = Blueprint("v21", __name__, url_prefix="/v2.1")

    @root.get("/", strict_slashes=False)
    def versions() -> Response:
        return jsonify(versions=[_version()])

    @api.get("/", strict_slashes=False)
    def version() -> Response:
        described = {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}
        media = {"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}
        view = _version() | {"media-types": [media]}
        view["links"].append(described)
        return jsonify(version=view)

    api.before_request(lambda: _prepare(cloud))  # before the policies that the parts check
    nova_servers.register(api, cloud)
    instance_actions.register(api, cloud)
    nova_services.register(api, cloud)
    nova_admin.register(api, cloud)
    nova_aggregates.register(api, cloud)
    root.register_blueprint(api)
    root.register_error_handler(ApiError, _error)
    root.after_request(_finish)
    return root


def _prepare(cloud: Cloud) -> None:
    g.version = None  # an unreadable version is not echoed
    version = microversion.requested(request.headers)
    g.version = version
    if request.endpoint == "nova.v21.version":
        return
    with cloud.world():
        g.token = _authenticate(cloud)
    if g.token.project is None:
        raise unauthorized()
    microversion.supported(version)


def _authenticate(cloud: Cloud) -> Token:
    if cloud.options.noauth:
        admin = cloud.identity.users["admin"]
        return cloud.identity.issue(admin, admin.project.id)
    return cloud.identity.authenticate(request.headers.get("X-Auth-Token"))


def _version() -> dict[str, Any]:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(MAX),
        "min_version": str(MIN),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{server_lists.base()}/v2.1/"}],
    }


def _error(error: ApiError) -> tuple[Response, int]:
    answer = jsonify(nova_body(error.status, error.message))
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = f'Keystone uri="{request.host_url}identity/v3"'
    return answer, error.status


def _finish(answer: Response) -> Response:
    name = f"req-{uuid4()}"
    answer.headers["x-openstack-request-id"] = answer.headers["x-compute-request-id"] = name
    version = g.get("version")
    if version is not None and answer.status_code != 401:
        answer.headers["OpenStack-API-Version"] = f"compute {version}"
        answer.headers["X-OpenStack-Nova-API-Version"] = str(version)
        answer.headers["Vary"] = "OpenStack-API-Version, X-OpenStack-Nova-API-Version"
    return answer
