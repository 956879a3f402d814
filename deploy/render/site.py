"""What is rendered: the functions, the settings of the site, and where all that will be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

import stack

NAME = "instance-ha"  # of the namespace's objects that belong to no single function
SECRETS_DIR = "/var/openfaas/secrets"


@dataclass(frozen=True)
class Site:
    """One installation; the defaults are what is committed."""

    functions: tuple[stack.Function, ...]
    settings: Mapping[str, str]
    variables: Mapping[str, str] = field(default_factory=dict)  # IMAGE_PREFIX, IMAGE_TAG and those below

    def _variable(self, name: str, default: str) -> str:
        return self.variables.get(name) or default

    @property
    def namespace(self) -> str:
        """The namespace of everything."""
        return self._variable("NAMESPACE", NAME)

    @property
    def host(self) -> str:
        """The public name of the API."""
        return self._variable("API_HOST", "instance-ha.example.com")

    @property
    def gateway(self) -> str:
        """The Gateway that the HTTPRoute belongs to, as namespace/name."""
        return self._variable("GATEWAY", "default/public")

    @property
    def knative_gateway(self) -> str:
        """The service of Knative's gateway inside the cluster, as namespace/name."""
        return self._variable("KNATIVE_GATEWAY", "istio-system/knative-local-gateway")

    @property
    def openfaas(self) -> str:
        """Host and port of OpenFaaS' gateway."""
        return self._variable("OPENFAAS_GATEWAY", "gateway.openfaas:8080")

    @property
    def pull_secret(self) -> str:
        """The secret with which images are fetched; empty for images that everybody may fetch."""
        return self._variable("IMAGE_PULL_SECRET", "")

    @property
    def egress(self) -> list[tuple[str, list[int]]]:
        """Where functions may connect to: networks, each with its TCP ports, all ports if none. Empty: everywhere.

        Raises:
            StackError: EGRESS is not of the form ``10.0.0.5:5432 10.1.0.0/16:443,8774``.

        """
        return [_network(entry) for entry in self._variable("EGRESS", "").split()]

    @property
    def broker(self) -> str:
        """The address of the broker."""
        ingress = "http://broker-ingress.knative-eventing.svc.cluster.local"
        return self._variable("BROKER_URL", f"{ingress}/{self.namespace}/{NAME}")

    @property
    def routed(self) -> list[stack.Function]:
        """The functions with public paths, in the order in which they are asked."""
        return [function for function in self.functions if function.route is not None]

    @property
    def inner(self) -> list[stack.Function]:
        """The functions that nobody outside has to reach."""
        return [function for function in self.functions if function.route is None]

    def image(self, function: stack.Function) -> str:
        """Return the image of a function."""
        return stack.substituted(function.image, self.variables)


def _network(entry: str) -> tuple[str, list[int]]:
    try:
        address, slash, ports = entry.rpartition("/")
        length, _, ports = ports.partition(":")
        network = str(ip_network(f"{address}{slash}{length}"))
        return network, [int(port) for port in ports.split(",") if port]
    except ValueError as error:
        raise stack.StackError(f"EGRESS: {entry} is no network with ports: {error}") from None


def read(folder: Path, variables: Mapping[str, str]) -> Site:
    """Read stack.yml and deploy/settings.yml of a folder."""
    return Site(stack.read(folder / "stack.yml"), read_settings(folder / "deploy/settings.yml"), variables)


def read_settings(path: Path) -> dict[str, str]:
    """Read a file of variables, as faas-cli reads its environment_file.

    Raises:
        StackError: it is none.

    """
    try:
        content: Any = yaml.safe_load(path.read_text())
    except OSError as error:
        raise stack.StackError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise stack.StackError(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    values = content.get("environment") if isinstance(content, dict) else None
    if not isinstance(values, dict):
        raise stack.StackError(f"{path}: it has no environment with names and values")
    if wrong := [str(name) for name, value in values.items() if not isinstance(value, str)]:
        raise stack.StackError(f"{path}: {', '.join(wrong)} must be a text: quote it")
    return dict(values)
