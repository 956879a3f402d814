"""The public paths: a Gateway-API HTTPRoute for Knative, configurations of nginx and Caddy for OpenFaaS.

All ask the patterns in the order of stack.yml, and let nothing below ``/_/`` in: health, readiness and metrics are the
platform's. A function gets the whole path, on Knative unchanged, on OpenFaaS behind ``/function/NAME``.
"""

from typing import Any

from deploy.render.site import NAME, Site
from stack import Function

ALL = "^/.*$"
INNER = "/_"
_NOWHERE = "/not-found"  # no route of the API: answered as every unknown path is
_HEAD = "# Written by `make manifests` from stack.yml: change it there.\n"
_MOST = "1m"  # of a body; the functions refuse less (max_request_body_size), with an answer of the API


def pattern(function: Function) -> str:
    """Return the pattern of a routed function."""
    assert function.route is not None
    return function.route.pattern


def http_route(site: Site) -> dict[str, Any]:
    """Return the HTTPRoute to Knative's gateway inside the cluster, which finds a function by its host name."""
    namespace, name = site.gateway.split("/")
    rules = [_rule(site, {"type": "PathPrefix", "value": INNER}, _last(site), _NOWHERE)]
    rules += [_rule(site, _match(function), function) for function in site.routed]
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": NAME, "namespace": site.namespace},
        "spec": {
            "parentRefs": [{"name": name, "namespace": namespace}],
            "hostnames": [site.host],
            "rules": rules,
        },
    }


def _last(site: Site) -> Function:
    """Return the function that answers unknown paths."""
    return site.routed[-1]


def _match(function: Function) -> dict[str, str]:
    """Return the match; by the specification a pattern goes before the prefix of all paths, whatever the order."""
    if pattern(function) == ALL:
        return {"type": "PathPrefix", "value": "/"}
    return {"type": "RegularExpression", "value": pattern(function)}


def _rule(site: Site, match: dict[str, str], function: Function, path: str | None = None) -> dict[str, Any]:
    namespace, name = site.knative_gateway.split("/")
    rewrite: dict[str, Any] = {"hostname": f"{function.name}.{site.namespace}.svc.cluster.local"}
    if path:
        rewrite["path"] = {"type": "ReplaceFullPath", "replaceFullPath": path}
    public = {"name": "X-Forwarded-Host", "value": site.host}
    return {
        "matches": [{"path": match}],
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
    places = {"openfaas": site.openfaas, "host": site.host, "most": _MOST, "inner": INNER, "fault": _FAULT}
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
