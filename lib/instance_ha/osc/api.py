"""What the commands ask: the API, with the session of ``openstack``."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from osc_lib.exceptions import CommandError

from instance_ha.api_client import ApiClient

_TIMEOUT = 70.0  # seconds: a plan asks Nova for up to 50
_OURS = "/x-instance-ha"


class Api:
    """The API at the address that the catalogue, or clouds.yaml, has for ``instance-ha``."""

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy  # openstacksdk's, which is an adapter too
        self._client = ApiClient(proxy, _TIMEOUT)

    def page(self, noun: str, **query: Any) -> list[dict[str, Any]]:
        """Return a page of what we have and Masakari has not; a value of None is not asked for.

        Raises:
            CloudRefused: the API refuses it, with the API's own words; and so below.
            CloudUnavailable: there was no answer, or a 5xx; and so below.

        """
        found: list[dict[str, Any]] = self._inside("GET", f"{_OURS}/{noun}{_question(query)}")
        return found

    def show(self, noun: str, name: str) -> dict[str, Any]:
        """Return one of them."""
        found: dict[str, Any] = self._inside("GET", f"{_OURS}/{noun}/{quote(name, safe='')}")
        return found

    def create(self, noun: str, envelope: str, **values: Any) -> Any:
        """Post one, and return what the API has made of it; a value of None is not sent."""
        return self._inside("POST", f"{_OURS}/{noun}", {envelope: _given(values)})

    def change(self, noun: str, name: str, envelope: str, values: Mapping[str, Any]) -> None:
        """Change one of them."""
        self._client.call("PUT", f"{_OURS}/{noun}/{quote(name, safe='')}", {envelope: dict(values)})

    def delete(self, noun: str, name: str) -> None:
        """Delete one of them."""
        self._client.call("DELETE", f"{_OURS}/{noun}/{quote(name, safe='')}")

    def notifications(self, **query: Any) -> list[dict[str, Any]]:
        """Return a page of notifications, the newest first."""
        found: list[dict[str, Any]] = self._inside("GET", f"/notifications{_question(query)}")
        return found

    @cached_property
    def segments(self) -> dict[str, str]:
        """The names of all segments, by uuid."""
        return {segment.uuid: segment.name for segment in self._proxy.segments()}

    @cached_property
    def hosts(self) -> list[Any]:
        """All hosts, as openstacksdk has them: a list for each segment is read."""
        return [host for segment in self.segments for host in self._proxy.hosts(segment)]

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of all segments and hosts, by uuid."""
        return self.segments | {host.uuid: host.name for host in self.hosts}

    def segment(self, name: str) -> str:
        """Return the uuid of a segment that is given by its name or uuid.

        Raises:
            CommandError: there is none.

        """
        if is_uuid(name):
            return name
        for uuid, known in self.segments.items():
            if known == name:
                return uuid
        raise CommandError(f"No segment has the name or uuid {name!r}")

    def _inside(self, method: str, path: str, body: Any = None) -> Any:
        return next(iter(self._client.call(method, path, body).values()))


def is_uuid(text: str) -> bool:
    """Say whether a text is a uuid, in whatever form."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def ahead(seconds: float) -> str:
    """Return the time so many seconds from now, as the API takes it; a negative number is before now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _question(query: Mapping[str, Any]) -> str:
    given = urlencode(
        {name.replace("generated_since", "generated-since"): value for name, value in _given(query).items()}
    )
    return f"?{given}" if given else ""
