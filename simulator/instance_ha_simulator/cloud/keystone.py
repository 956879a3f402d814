"""Keystone's API under /identity: versions, tokens, the catalogue."""

from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from flask import Blueprint, Response, jsonify, request

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError, bad_request, not_found, unauthorized
from instance_ha_simulator.cloud.identity import Token

_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_DOMAIN = {"id": "default", "name": "Default"}
_MALFORMED = (
    "Expecting to find auth in request body. The server could not comply with the request since it is "
    "either malformed or otherwise incorrect. The client is assumed to be in error."
)
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def blueprint(cloud: Cloud) -> Blueprint:
    """Return Keystone's API for this cloud."""
    api = Blueprint("keystone", __name__, url_prefix="/identity")

    @api.get("/", strict_slashes=False)
    def versions() -> tuple[Response, int]:
        return jsonify(versions={"values": [_version()]}), 300

    @api.get("/v3", strict_slashes=False)
    def version() -> Response:
        return jsonify(version=_version())

    @api.post("/v3/auth/tokens")
    def issue() -> tuple[Response, int]:
        body = request.get_json(silent=True)
        with cloud.world():
            token = _by_application_credential(cloud, body) or _issue(cloud, *_parse(body))
        return _answer(cloud, token), 201

    @api.get("/v3/auth/tokens")
    def validate() -> Response:
        return _answer(cloud, _subject(cloud))

    @api.delete("/v3/auth/tokens")
    def revoke() -> tuple[str, int]:
        token = _subject(cloud)
        with cloud.world():
            cloud.identity.revoke(token.id)
        return "", 204

    api.register_error_handler(ApiError, _error)
    api.after_request(_finish)
    return api


def _version() -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{request.host_url}identity/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


def _parse(body: Any) -> tuple[str | tuple[str, str], str | None]:
    """Return who asks, a token or a user with a password, and the project (if any) of a request for a token."""
    try:
        identity = body["auth"]["identity"]
        methods = identity["methods"]
    except (KeyError, TypeError):
        raise bad_request(_MALFORMED) from None
    if methods not in (["password"], ["token"]):
        raise unauthorized()
    try:
        scope = body["auth"].get("scope")
        project = None if not isinstance(scope, dict) else scope["project"]
        wanted = None if project is None else project.get("id") or project["name"]
        if methods == ["token"]:
            return str(identity["token"]["id"]), wanted
        user = identity["password"]["user"]
        return (str(user.get("id") or user["name"]), str(user["password"])), wanted
    except (AttributeError, KeyError, TypeError):
        raise bad_request(_MALFORMED) from None


def _by_application_credential(cloud: Cloud, body: Any) -> Token | None:
    """Make a token for an application credential; None when it is asked for otherwise."""
    try:
        if body["auth"]["identity"]["methods"] != ["application_credential"]:
            return None
        given = body["auth"]["identity"]["application_credential"]
        credential, secret = str(given["id"]), str(given["secret"])
    except (KeyError, TypeError):
        return None
    return cloud.identity.issue_by_application_credential(credential, secret)


def _issue(cloud: Cloud, credentials: str | tuple[str, str], project: str | None) -> Token:
    """Make a token for a password, or for a token, which it does not outlive."""
    if isinstance(credentials, tuple):
        return cloud.identity.issue(cloud.identity.login(*credentials), project)
    before = cloud.identity.authenticate(credentials)
    return cloud.identity.issue(before.user, project, before.expires_at)


def _subject(cloud: Cloud) -> Token:
    """Return the token that the request is about."""
    with cloud.world():
        asker = cloud.identity.authenticate(request.headers.get("X-Auth-Token"))
        subject = request.headers.get("X-Subject-Token")
        if subject is None:
            raise not_found("No token in the request")
        if not asker.is_admin and subject != asker.id:
            raise ApiError(403, "You are not authorized to perform the requested action: identity:validate_token.")
        token = cloud.identity.find(subject)
    if token is None:
        raise not_found("Could not recognize Fernet token")
    return token


def _answer(cloud: Cloud, token: Token) -> Response:
    answer = jsonify(token=_view(cloud, token))
    answer.headers["X-Subject-Token"] = token.id
    return answer


def _view(cloud: Cloud, token: Token) -> dict[str, Any]:
    user = {"domain": _DOMAIN, "id": token.user.id, "name": token.user.name, "password_expires_at": None}
    view: dict[str, Any] = {
        "methods": ["password"],
        "user": user,
        "audit_ids": [token.audit_id],
        "issued_at": token.issued_at.strftime(_TIME),
        "expires_at": token.expires_at.strftime(_TIME),
    }
    if token.project is not None:
        roles = [{"id": cloud.identity.role_ids[name], "name": name} for name in token.user.roles]
        project = {"domain": _DOMAIN, "id": token.project.id, "name": token.project.name}
        view |= {"project": project, "is_domain": False, "roles": roles}
        if "nocatalog" not in request.args:
            view["catalog"] = _catalog(cloud, token.project.id)
    return view


def _catalog(cloud: Cloud, project_id: str) -> list[dict[str, Any]]:
    services = [
        ("identity", "keystone", f"{request.host_url}identity"),
        ("compute", "nova", f"{request.host_url}compute/v2.1"),
        ("placement", "placement", f"{request.host_url}placement"),
    ]
    if cloud.instance_ha_url is not None:
        url = cloud.instance_ha_url.replace("%(project_id)s", project_id)
        services.append(("instance-ha", "masakari", url))
    return [_entry(cloud.options.region, *service) for service in services]


def _entry(region: str, kind: str, name: str, url: str) -> dict[str, Any]:
    endpoints = [
        {
            "id": uuid5(NAMESPACE_URL, f"{interface} {kind}").hex,
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        }
        for interface in ("public", "internal", "admin")
    ]
    return {"id": uuid5(NAMESPACE_URL, kind).hex, "type": kind, "name": name, "endpoints": endpoints}


def _error(error: ApiError) -> tuple[Response, int]:
    title = _TITLES.get(error.status, "Error")
    answer = jsonify(error={"code": error.status, "message": error.message, "title": title})
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = f'Keystone uri="{request.host_url}identity/v3"'
    return answer, error.status


def _finish(answer: Response) -> Response:
    answer.headers["x-openstack-request-id"] = f"req-{uuid4()}"
    answer.headers["Vary"] = "X-Auth-Token"
    return answer
