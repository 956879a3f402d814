"""``python -m deploy.render``: writes deploy/{knative,gateway,openfaas}; ``--check`` fails when they differ.

``--to FOLDER`` writes them elsewhere for a site of your own, with the variables IMAGE_PREFIX, IMAGE_TAG, NAMESPACE,
API_HOST, GATEWAY, KNATIVE_GATEWAY, OPENFAAS_GATEWAY, BROKER_URL, IMAGE_PULL_SECRET and EGRESS of the environment.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.render import cluster, cronjobs, eventing, gateways, lint, policies, services
from deploy.render.site import Site, read
from local.files import repository
from stack import StackError

_HEAD = "# Written by `make manifests` from stack.yml and deploy/settings.yml: change it there.\n"


def render(site: Site) -> dict[str, str]:
    """Return every file: its path below deploy/, and its text."""
    objects: dict[str, list[dict[str, Any]]] = {
        "knative/namespace.yaml": [cluster.namespace(site), cluster.account(site)],
        "knative/settings.yaml": [cluster.settings(site)],
        "knative/db-upgrade.yaml": [cluster.migration(site)],
        "knative/monitor-nodes.yaml": cluster.node_reader(site),
        "knative/network-policy.yaml": policies.knative(site),
        "knative/services.yaml": [services.service(site, function) for function in site.functions],
        "knative/eventing.yaml": [eventing.broker(site), *eventing.triggers(site)],
        "knative/clocks.yaml": eventing.clocks(site),
        "openfaas/cronjobs.yaml": cronjobs.cron_jobs(site),
        "openfaas/network-policy.yaml": policies.openfaas(site),
        "gateway/httproute.yaml": [gateways.http_route(site), gateways.reference_grant(site)],
        "gateway/limit-envoy-gateway.yaml": [gateways.envoy_gateway_limit(site)],
        "gateway/limit-istio.yaml": [gateways.istio_limit(site)],
    }
    files = {path: _yaml(content) for path, content in objects.items()}
    return files | {"gateway/nginx.conf": gateways.nginx(site), "gateway/Caddyfile": gateways.caddy(site)}


class _Plain(yaml.SafeDumper):
    """Writes everything in full: nobody should have to look for anchors in a manifest."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _yaml(objects: list[dict[str, Any]]) -> str:
    return _HEAD + yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, width=120, explicit_start=True)


def differences(files: Mapping[str, str], folder: Path) -> list[str]:
    """Name the files that are missing, differ, or are not ours."""
    there = {
        str(path.relative_to(folder))
        for part in ("knative", "gateway", "openfaas")
        for path in (folder / part).glob("*")
    }
    wrong = {path for path, text in files.items() if path not in there or (folder / path).read_text() != text}
    return sorted(wrong | (there - files.keys()))


def main() -> int:
    """Write, or check, the files."""
    parser = argparse.ArgumentParser(prog="python -m deploy.render", description="Renders manifests from stack.yml.")
    parser.add_argument("--check", action="store_true", help="fail when what is committed differs")
    parser.add_argument("--to", type=Path, help="write into this folder, for the site that the environment describes")
    options = parser.parse_args()
    try:
        if complaints := lint.complaints(repository()):
            sys.exit("\n".join(complaints))
        files = render(read(repository(), os.environ if options.to else {}))
    except StackError as error:
        sys.exit(str(error))
    folder = options.to or repository() / "deploy"
    if options.check:
        for path in (wrong := differences(files, folder)):
            print(f"deploy/{path} is not what stack.yml says: run make manifests", file=sys.stderr)
        return int(bool(wrong))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
