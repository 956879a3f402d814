"""The public paths: a Gateway-API HTTPRoute for Knative, configurations of nginx and Caddy for OpenFaaS.

All ask the patterns in the order of stack.yml, and let nothing below ``/_/`` in: health, readiness and metrics are the
platform's. A function gets the whole path, on Knative unchanged, on OpenFaaS behind ``/function/NAME``.

The Gateway API leaves the order among regular expressions, and between them and prefixes, to the gateway. So the
HTTPRoute has regular expressions only, the longest first: that is the order of those that go by length (Istio, Envoy
Gateway) and of those that go by the file. The linter keeps the routes of stack.yml in that order.
"""

from typing import Any

from deploy.render.site import NAME, Site
from stack import Function

INNER = "/_"
_NOWHERE = "/not-found"  # no route of the API: answered as every unknown path is
_HEAD = "# Written by `make manifests` from stack.yml: change it there.\n"
_MOST = 1024 * 1024  # bytes of a body; the functions refuse less (max_request_body_size), with an answer of the API


def pattern(function: Function) -> str:
    """Return the pattern of a routed function."""
    assert function.route is not None
    return function.route.pattern


def http_route(site: Site) -> dict[str, Any]:
    """Return the HTTPRoute to Knative's gateway inside the cluster, which finds a function by its host name."""
    namespace, name = site.gateway.split("/")
    rules = {pattern(function): _rule(site, pattern(function), function) for function in site.routed}
    inner = f"^{INNER}(/.*)?$"
    rules[inner] = _rule(site, inner, site.routed[-1], _NOWHERE)
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": NAME, "namespace": site.namespace},
        "spec": {
            "parentRefs": [{"name": name, "namespace": namespace}],
            "hostnames": [site.host],
            "rules": [rules[route] for route in sorted(rules, key=len, reverse=True)],
        },
    }


def _rule(site: Site, route: str, function: Function, path: str | None = None) -> dict[str, Any]:
    namespace, name = site.knative_gateway.split("/")
    rewrite: dict[str, Any] = {"hostname": f"{function.name}.{site.namespace}.svc.cluster.local"}
    if path:
        rewrite["path"] = {"type": "ReplaceFullPath", "replaceFullPath": path}
    public = {"name": "X-Forwarded-Host", "value": site.host}
    return {
        "matches": [{"path": {"type": "RegularExpression", "value": route}}],
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [public], "remove": ["X-Forwarded-Prefix"]},
            },
            {"type": "URLRewrite", "urlRewrite": rewrite},
        ],
        "backendRefs": [{"name": name, "namespace": namespace, "port": 80}],
        "timeouts": {"request": "65s"},
    }


def reference_grant(site: Site) -> dict[str, Any]:
    """Return Knative's permission that our HTTPRoute names its gateway, which is in another namespace."""
    namespace, name = site.knative_gateway.split("/")
    route = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": site.namespace}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1beta1",
        "kind": "ReferenceGrant",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"from": [route], "to": [{"group": "", "kind": "Service", "name": name}]},
    }


def envoy_gateway_limit(site: Site) -> dict[str, Any]:
    """Return Envoy Gateway's limit for bodies: the Gateway API has none. A larger one is answered 413."""
    target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": NAME}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": {"name": NAME, "namespace": site.namespace},
        "spec": {"targetRefs": [target], "requestBuffer": {"limit": f"{_MOST // 1024}Ki"}},
    }


def istio_limit(site: Site) -> dict[str, Any]:
    """Return the same limit for Istio, of all routes of the Gateway: Istio has no such setting for a single one."""
    namespace, name = site.gateway.split("/")
    buffer = {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": _MOST}
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "GATEWAY",
            "listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}},
        },
        "patch": {"operation": "INSERT_FIRST", "value": {"name": "envoy.filters.http.buffer", "typed_config": buffer}},
    }
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {
            "workloadSelector": {"labels": {"gateway.networking.k8s.io/gateway-name": name}},
            "configPatches": [patch],
        },
    }


_NGINX = """{head}# For OpenFaaS: put it into conf.d, or include it in `http`. TLS is yours to add.
upstream openfaas {{
    server {openfaas};
    keepalive 16;
}}

server {{
    listen 80;
    server_name {host};
    server_tokens off;
    client_max_body_size {most};
    client_header_timeout 15s;            # a request that comes byte by byte holds nobody up for longer
    client_body_timeout 15s;              # bodies are read here before a function is called
    large_client_header_buffers 4 16k;    # tokens are long

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Prefix "";
    proxy_read_timeout 65s;
    proxy_next_upstream off;              # a request is sent once: its sender knows whether to repeat it
    default_type application/json;

    location ~ "^{inner}(/|$)" {{
        return 404 '{fault}';
    }}
{locations}
    location / {{
        return 404 '{fault}';
    }}
}}
"""
_FAULT = '{"itemNotFound": {"code": 404, "message": "The resource could not be found."}}'
# A rewritten path is what nginx has made of it for its match: without `..`, `//` and needless escapes.
_LOCATION = """
    location ~ "{pattern}" {{
        rewrite "(?s)^(.*)$" /function/{name}$1 break;
        proxy_pass http://openfaas;
    }}
"""


def nginx(site: Site) -> str:
    """Return nginx' configuration."""
    locations = "".join(
        _LOCATION.format(pattern=pattern(function).replace("\\", "\\\\").replace('"', '\\"'), name=function.name)
        for function in site.routed
    )
    places = {"openfaas": site.openfaas, "host": site.host, "most": "1m", "inner": INNER, "fault": _FAULT}
    return _NGINX.format(head=_HEAD, locations=locations, **places)


_CADDY = """{head}# For OpenFaaS. Caddy gets a certificate by itself where the host name is public.
{host} {{
	request_body {{
		max_size 1MB
	}}
	route {{
		@inner path {inner} {inner}/*
		respond @inner `{fault}` 404
		# A path that is not in its plain form would be matched in one form and passed on in another.
		@odd expression `{{http.request.orig_uri.path}}.matches("(?i)//|/[.]|%2e|%2f|%5c|%0|%1")`
		respond @odd `{fault}` 404
{handles}		respond `{fault}` 404
	}}
}}
"""
_HANDLE = """
		@{name} path_regexp `{pattern}`
		handle @{name} {{
			rewrite * /function/{name}{{uri}}
			reverse_proxy {openfaas} {{
				header_up -X-Forwarded-Prefix
				transport http {{
					response_header_timeout 65s
				}}
			}}
		}}
"""


def caddy(site: Site) -> str:
    """Return a Caddyfile."""
    handles = "".join(
        _HANDLE.format(name=function.name, pattern=pattern(function), openfaas=site.openfaas)
        for function in site.routed
    )
    return _CADDY.format(head=_HEAD, host=site.host, inner=INNER, fault=_FAULT, handles=handles)
