"""The ladders of all hosts, as the file has them now: a password that is changed in it counts at the next question."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from instance_ha.fencing import file
from instance_ha.models.errors import FenceRefused, Misconfigured
from instance_ha.models.fencing import Rung
from instance_ha.models.ports import FenceMethod

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter


@dataclass(frozen=True)
class _Read:
    """The file, as it was when it looked so from outside."""

    looked: tuple[int, int]
    content: file.FencingFile


class FileFences:
    """The methods of ``fencing.yaml``; each library is imported when its method is used."""

    def __init__(
        self, path: Path | None, timeout: float, keys: tuple[bytes, ...], ironic: Callable[[], "Adapter"]
    ) -> None:
        """Make one.

        Args:
            path: the file; None: no host can be fenced.
            timeout: of one question, in seconds.
            keys: sign what methods that are URLs are sent; the first one does.
            ironic: makes the way to Ironic's API.

        """
        self._path = path
        self._timeout = timeout
        self._keys = keys
        self._ironic = ironic
        self._read: _Read | None = None

    def ladder(self, host: str) -> tuple[Rung, ...]:
        """Return the ways to cut a host's power, in the order in which they are tried.

        Raises:
            Misconfigured: the file makes no sense.

        """
        found = enumerate(self._methods(host))
        return tuple(Rung(place, method.method, method.machine, method.time_limit) for place, method in found)

    def shared(self, hosts: Iterable[str]) -> Mapping[str, str]:
        """Name each of these hosts that would be fenced at the same machine as another one, and that other one.

        Raises:
            Misconfigured: the file makes no sense.

        """
        content = self._content()
        return {} if content is None else content.shared(hosts)

    def method(self, host: str, rung: Rung, now: datetime) -> FenceMethod:
        """Return the method of a rung, to be asked ``now`` by Postgres' clock.

        Raises:
            FenceRefused: the host's ladder has it no more.

        """
        methods = self._methods(host)
        if rung not in self.ladder(host):
            raise FenceRefused(f"the ladder of {host} has no {rung.name} any more")
        method = methods[rung.position]
        if isinstance(method, file.RedfishMethod):
            from instance_ha.fencing.redfish import Redfish

            return Redfish(method, self._timeout)
        if isinstance(method, file.IpmiMethod):
            from instance_ha.fencing.ipmi import Ipmi

            return Ipmi(method, self._timeout)
        if isinstance(method, file.IronicMethod):
            from instance_ha.fencing.ironic import Ironic

            return Ironic(method, self._ironic(), self._timeout)
        from instance_ha.fencing.url import Url

        if not self._keys:
            raise FenceRefused(
                "a fence is a URL, and there is no key to sign what it is sent: mount the secret task-key"
            )
        return Url(method, host, self._keys[0], now, self._timeout)

    def _methods(self, host: str) -> tuple[file.Method, ...]:
        content = self._content()
        return () if content is None else content.ladder(host)

    def _content(self) -> file.FencingFile | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except OSError as error:
            raise Misconfigured(f"{self._path} cannot be read: {error.strerror}") from None
        looks = status.st_mtime_ns, status.st_size
        if self._read is None or self._read.looked != looks:
            self._read = _Read(looks, file.read(self._path))
        return self._read.content
