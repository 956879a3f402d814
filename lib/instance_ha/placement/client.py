"""Placement over HTTP: which resource providers there are, what they have, and who has taken it."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from keystoneauth1.adapter import Adapter

from instance_ha.models.capacity import Inventory, Provider
from instance_ha.models.errors import CloudRefused
from instance_ha.nova.answer import answer

_VERSION = {"OpenStack-API-Version": "placement 1.22"}  # Rocky: nested providers, and forbidden traits


class PlacementClient:
    """Questions alone.

    All methods raise CloudUnavailable (nothing was answered in time, or 5xx) and CloudRefused (4xx, with Placement's
    own words). https://docs.openstack.org/api-ref/placement
    """

    def __init__(self, adapter: Adapter, timeout: float) -> None:
        """Make one whose questions take so many seconds at most."""
        self._adapter = adapter
        self._timeout = timeout

    def providers(self) -> list[Provider]:
        """Read all resource providers; Placement has no pages."""
        return [_provider(body) for body in self._get("/resource_providers")["resource_providers"]]

    def with_trait(self, trait: str) -> frozenset[str]:
        """Name the providers that have a trait, by their uuids; none when Placement does not know the trait."""
        try:
            found = self._get(f"/resource_providers?{urlencode({'required': trait})}")
        except CloudRefused as error:
            if error.code == 400:
                return frozenset()
            raise
        return frozenset(body["uuid"] for body in found["resource_providers"])

    def inventories(self, uuid: str) -> dict[str, Inventory]:
        """Read what a provider has, by resource class, as if nothing of it were used."""
        found = self._get(f"/resource_providers/{uuid}/inventories")["inventories"]
        return {name: _inventory(body) for name, body in found.items()}

    def allocations(self, uuid: str) -> dict[str, dict[str, int]]:
        """Read what is taken of a provider, by consumer, which is an instance, or a migration of one."""
        found = self._get(f"/resource_providers/{uuid}/allocations")["allocations"]
        return {consumer: dict(body["resources"]) for consumer, body in found.items()}

    def _get(self, path: str) -> Any:
        ask = partial(self._adapter.get, path, headers=_VERSION, timeout=self._timeout)
        ask = partial(ask, raise_exc=False, connect_retries=1, status_code_retries=0)
        return answer(ask, self._timeout, "Placement", '"errors"').json()


def _provider(body: dict[str, Any]) -> Provider:
    return Provider(uuid=body["uuid"], root=body["root_provider_uuid"])


def _inventory(body: dict[str, Any]) -> Inventory:
    return Inventory(
        total=body["total"],
        reserved=body["reserved"],
        allocation_ratio=body["allocation_ratio"],
        min_unit=body["min_unit"],
        max_unit=body["max_unit"],
        step_size=body["step_size"],
    )
