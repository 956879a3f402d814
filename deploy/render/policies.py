"""Network policies: who may reach a function, and where functions may connect to.

They hold where the cluster's network plug-in knows NetworkPolicies.
"""

from typing import Any

from deploy.render.cronjobs import NAMESPACE as OPENFAAS_FUNCTIONS
from deploy.render.site import Site

_KNATIVE = ("knative-serving", "knative-eventing")
_OPENFAAS = "openfaas"  # the namespace of OpenFaaS' own pods
_SERVICE = "serving.knative.dev/service"
_FUNCTION = "faas_function"
_DNS = {"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}
# Link-local addresses are those of a cloud's metadata: what is asked there is answered with keys.
_OUTSIDE = (
    {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]},
    {"cidr": "::/0", "except": ["fe80::/10", "fd00:ec2::/32"]},
)


def knative(site: Site) -> list[dict[str, Any]]:
    """Return the policies on Knative.

    Requests to functions without public paths always pass the activator, so Knative's ingress needs no way to them.
    """
    ingress = site.knative_gateway.split("/")[0]
    public, inner = [f.name for f in site.routed], [f.name for f in site.inner]
    callers = tuple(dict.fromkeys([*_KNATIVE, ingress]))
    return [
        _ingress(site.namespace, "inner-functions", _named(_SERVICE, inner), _KNATIVE),
        _ingress(site.namespace, "public-functions", _named(_SERVICE, public), callers),
        _egress(site, site.namespace, {}, (site.namespace, *callers)),
    ]


def openfaas(site: Site) -> list[dict[str, Any]]:
    """Return the policies on OpenFaaS: everything comes from its gateway."""
    ours = _named(_FUNCTION, [function.name for function in site.functions])
    return [
        _ingress(OPENFAAS_FUNCTIONS, "instance-ha", ours, (_OPENFAAS,)),
        _egress(site, OPENFAAS_FUNCTIONS, ours, (_OPENFAAS,)),
    ]


def _ingress(namespace: str, name: str, pods: dict[str, Any], callers: tuple[str, ...]) -> dict[str, Any]:
    return _policy(namespace, name, pods, {"policyTypes": ["Ingress"], "ingress": [{"from": [_namespaces(callers)]}]})


def _egress(site: Site, namespace: str, pods: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    if site.egress:
        allowed = [{"to": [_namespaces(inside)]}, *(_network(*entry) for entry in site.egress)]
    else:
        allowed = [{"to": [{"namespaceSelector": {}}, *({"ipBlock": block} for block in _OUTSIDE)]}]
    return _policy(namespace, "egress", pods, {"policyTypes": ["Egress"], "egress": [_DNS, *allowed]})


def _network(cidr: str, ports: list[int]) -> dict[str, Any]:
    limit = {"ports": [{"protocol": "TCP", "port": port} for port in ports]} if ports else {}
    return {"to": [{"ipBlock": {"cidr": cidr}}], **limit}


def _namespaces(names: tuple[str, ...]) -> dict[str, Any]:
    return {"namespaceSelector": _named("kubernetes.io/metadata.name", list(names))}


def _named(label: str, names: list[str]) -> dict[str, Any]:
    return {"matchExpressions": [{"key": label, "operator": "In", "values": names}]}


def _policy(namespace: str, name: str, pods: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": pods, **spec},
    }
