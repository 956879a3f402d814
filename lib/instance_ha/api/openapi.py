"""The OpenAPI 3.1 document, made of what the routes declare and of the wire models."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from instance_ha.api import (
    approvals,
    description,
    evidence,
    explanations,
    extensions,
    host_guards,
    hosts,
    incidents,
    microversion,
    notifications,
    pauses,
    plans,
    policies,
    purge,
    readiness,
    returns,
    segments,
    versions,
    vmoves,
)
from instance_ha.api.operation import Operation, Route
from instance_ha.api.schemas.base import Body, Query
from instance_ha.api.schemas.discovery import FaultEnvelope

Mode = Literal["validation", "serialization"]

_ROUTES = (
    *versions.ROUTES,
    *description.ROUTES,
    *segments.ROUTES,
    *hosts.ROUTES,
    *notifications.ROUTES,
    *vmoves.ROUTES,
    *purge.ROUTES,
    *policies.ROUTES,
    *evidence.ROUTES,
    *plans.ROUTES,
    *explanations.ROUTES,
    *incidents.ROUTES,
    *pauses.ROUTES,
    *approvals.ROUTES,
    *readiness.ROUTES,
    *returns.ROUTES,
    *host_guards.ROUTES,
    *extensions.ROUTES,
)
_REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted: it is stored and will be handled",
    204: "Deleted",
    300: "Versions to choose from",
    400: "The request is not well formed",
    401: "No valid token",
    403: "The caller's roles do not allow it",
    404: "Not found",
    406: "The microversion is not served",
    409: "It conflicts with the present state",
    413: "The body is too large",
    415: "The body is not JSON",
    503: "Postgres, Keystone or Nova is not available; try again later",
}
_REF = "#/components/schemas/{model}"


@cache
def document() -> dict[str, Any]:
    """Return the document."""
    operations = [operation for route in _ROUTES for operation in route.methods.values()]
    references, schemas = models_json_schema(sorted(_models(operations), key=str), ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Instance HA",
            "summary": "High availability of instances: segments, hosts, notifications, vmoves",
            "description": "Wire-compatible with OpenStack Masakari's API v1. Every path below /v1 also answers with "
            "the project id of the token after /v1, as in /v1/{project_id}/segments.",
            "version": microversion.text(microversion.HIGHEST),
        },
        "servers": [{"url": "/"}],
        "paths": _paths(references),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        },
    }


def _models(operations: list[Operation[Any]]) -> set[tuple[type[BaseModel], Mode]]:
    found: set[tuple[type[BaseModel], Mode]] = {(FaultEnvelope, "serialization")}
    for operation in operations:
        if issubclass(operation.asks, Body):
            found.add((operation.asks, "validation"))
        if operation.answers is not None:
            found.add((operation.answers, "serialization"))
    return found


References = Mapping[Any, dict[str, Any]]  # by model and mode


def _paths(references: References) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for route in _ROUTES:
        path = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", route.path)
        shown = path if route.public else f"/v1{path}"
        paths[shown] = {
            method.lower(): _operation(route, method, operation, references)
            for method, operation in route.methods.items()
        }
        paths[shown] |= {"parameters": [_in_path(name) for name in re.findall(r"{(\w+)}", path)]}
    return paths


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _operation(route: Route, method: str, operation: Operation[Any], references: References) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": _identify(route, method, operation),
        "summary": operation.summary,
        "parameters": [*_query(operation), *([] if route.public else [_microversion()])],
        "responses": _responses(route, operation, references),
    }
    if operation.rule is not None:
        shown |= {"security": [{"token": []}], "x-policy-rule": operation.rule}
    if issubclass(operation.asks, Body):
        content = {"application/json": {"schema": references[operation.asks, "validation"]}}
        shown["requestBody"] = {"required": True, "content": content}
    return shown


def _identify(route: Route, method: str, operation: Operation[Any]) -> str:
    words = operation.rule or f"{method}{route.path}"
    return "_".join(re.findall(r"\w+", words.lower())) + ("_slash" if route.path == "/v1/" else "")


def _query(operation: Operation[Any]) -> Iterator[dict[str, Any]]:
    if not issubclass(operation.asks, Query) or not operation.asks.model_fields:
        return
    schema = operation.asks.model_json_schema(mode="validation")["properties"]
    for name, field in operation.asks.model_fields.items():
        about = dict(schema[field.alias or name])
        described = {"description": about.pop("description")} if "description" in about else {}
        for unused in ("title", "default"):
            about.pop(unused, None)
        about = next((kind for kind in about.get("anyOf", []) if kind.get("type") != "null"), about)
        yield {"name": field.alias or name, "in": "query", "schema": about, **described}


def _microversion() -> dict[str, Any]:
    return {
        "name": microversion.HEADER,
        "in": "header",
        "description": f"Microversion, {microversion.text(microversion.LOWEST)} without it.",
        "schema": {"type": "string", "examples": [f"{microversion.SERVICE} {microversion.text(microversion.HIGHEST)}"]},
    }


def _responses(route: Route, operation: Operation[Any], references: References) -> dict[str, Any]:
    good: dict[str, Any] = {"description": _REASONS[operation.status]}
    if operation.answers is not None:
        good["content"] = {"application/json": {"schema": references[operation.answers, "serialization"]}}
    codes = set(operation.refusals) | ({413} if route.public else {400, 401, 403, 404, 406, 413, 503})
    codes |= {400, 415} if issubclass(operation.asks, Body) else set()
    content = {"application/json": {"schema": references[FaultEnvelope, "serialization"]}}
    faults = {str(code): {"description": _REASONS[code], "content": content} for code in sorted(codes)}
    return {str(operation.status): good, **faults}
