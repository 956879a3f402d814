"""``fencing.yaml``: for each host, or for hosts whose names have a form, a ladder of methods with what they need.

It is a secret. Passwords in it are masked in this process as soon as it is read.
"""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from instance_ha import masking
from instance_ha.fencing.machines import Machine, at, shared
from instance_ha.models.errors import Misconfigured

_WILD = frozenset("*?[")
_PLACEHOLDERS = ("{host}", "{short}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Method(_Strict):
    time_limit: float = Field(
        60, gt=0, le=600, description="Seconds from the first request until the next method is tried."
    )

    @property
    def machine(self) -> str:
        """Which machine's power it cuts, in words without a secret."""
        raise NotImplementedError

    @property
    def identity(self) -> Machine | None:
        """Which machine that is, to be compared; None: that cannot be told."""
        return None


class _Login(_Method):
    username: str = Field(min_length=1, description="User of the BMC that may cut the power.")
    password: SecretStr = Field(description="Its password.")


class RedfishMethod(_Login):
    """A BMC that speaks Redfish."""

    method: Literal["redfish"]
    address: str = Field(pattern=r"^https?://[^/@]+/?$", description="URL of the BMC, as https://192.0.2.1.")
    system: str | None = Field(
        None,
        description="Path of the system, as /redfish/v1/Systems/1. Required where the service has more than one.",
    )
    ca_file: Path | None = Field(None, description="CA file to trust; the system's CAs by default.")
    verify: bool = Field(
        True, description="false: accept any certificate. Better: the BMC's own certificate as ca_file."
    )

    @property
    def machine(self) -> str:
        """Which machine's power it cuts."""
        return f"{self.address.rstrip('/')}{self.system or ''}"

    @property
    def identity(self) -> Machine:
        """Which machine that is: a BMC, and a system behind it where one is named."""
        parts = urlsplit(self.address)
        usual = 443 if parts.scheme == "https" else 80
        return Machine(at(parts.hostname or "", parts.port, usual), (self.system or "").rstrip("/") or None)


class IpmiMethod(_Login):
    """A BMC that speaks IPMI 2.0 over LAN."""

    method: Literal["ipmi"]
    address: str = Field(min_length=1, description="Name or IP address of the BMC.")
    port: int = Field(623, ge=1, le=65535, description="UDP port.")
    privilege: Literal["administrator", "operator"] = Field(
        "operator", description="Privilege level of the session; `operator` may cut the power."
    )

    @property
    def machine(self) -> str:
        """Which machine's power it cuts."""
        return f"{self.address}:{self.port}"

    @property
    def identity(self) -> Machine:
        """Which machine that is: the BMC's."""
        return Machine(at(self.address, self.port, 623))


class IronicMethod(_Method):
    """A node of Ironic, in the same cloud."""

    method: Literal["ironic"]
    node: str = Field("{host}", min_length=1, description="Name or UUID of the node.")

    @property
    def machine(self) -> str:
        """Which machine's power it cuts."""
        return f"node {self.node}"

    @property
    def identity(self) -> Machine:
        """Which machine that is: the node's."""
        return Machine(self.machine)


class UrlMethod(_Method):
    """A function of an operator's own, for all else that cuts power; it gets a signed CloudEvent."""

    method: Literal["url"]
    url: str = Field(pattern=r"^https?://[^@]+$", description="Where the event is posted; it carries the host's name.")

    @property
    def machine(self) -> str:
        """Which machine's power it cuts: the event says it."""
        return self.url


Method = Annotated[RedfishMethod | IpmiMethod | IronicMethod | UrlMethod, Field(discriminator="method")]


class HostLadder(_Strict):
    """The methods for some hosts, in the order in which they are tried."""

    match: str = Field(
        min_length=1, description="A host's name, or a pattern with *, ? or []. The first that matches counts."
    )
    ladder: tuple[Method, ...] = Field(
        min_length=1,
        description="`{host}` in a text stands for the host's name, `{short}` for what stands before its first dot.",
    )

    @model_validator(mode="after")
    def _each_host_its_own(self) -> "HostLadder":
        """Refuse a form whose hosts would all be fenced at one machine."""
        if self.is_form:
            for method in self.ladder:
                if not isinstance(method, UrlMethod) and not any(one in method.machine for one in _PLACEHOLDERS):
                    raise ValueError(
                        f"{self.match} stands for several hosts, and {method.method} names one machine for all of them:"
                        " write {host} or {short} where its name belongs"
                    )
        return self

    @property
    def is_form(self) -> bool:
        """Whether it stands for several hosts."""
        return bool(_WILD & set(self.match))

    def matches(self, host: str) -> bool:
        """Whether it is the ladder of a host."""
        return fnmatchcase(host, self.match) if self.is_form else host == self.match


class FencingFile(_Strict):
    """How the hosts of the cloud are fenced."""

    hosts: tuple[HostLadder, ...] = Field(description="Hosts, by name or pattern.")

    @model_validator(mode="after")
    def _no_machine_twice(self) -> "FencingFile":
        """Refuse a host that stands twice, and two that would be fenced at one machine."""
        names = [entry.match for entry in self.hosts]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"{twice} appears twice, and only the first entry would count")
        for one, other in self.shared(entry.match for entry in self.hosts if not entry.is_form).items():
            raise ValueError(f"{one} and {other} would be fenced at the same machine")
        return self

    def shared(self, hosts: Iterable[str]) -> dict[str, str]:
        """Name each of these hosts that would be fenced at the same machine as another one, and that other one."""
        return shared(
            {host: [one for method in self.ladder(host) if (one := method.identity) is not None] for host in hosts}
        )

    def ladder(self, host: str) -> tuple[Method, ...]:
        """Return the methods of a host; none when it has none."""
        found = next((entry for entry in self.hosts if entry.matches(host)), None)
        return () if found is None else tuple(_filled(method, host) for method in found.ladder)

    @property
    def passwords(self) -> Iterator[str]:
        """All that is secret in it."""
        for entry in self.hosts:
            yield from (method.password.get_secret_value() for method in entry.ladder if isinstance(method, _Login))


def read(path: Path) -> FencingFile:
    """Read the file, and mask what is secret in it.

    Raises:
        Misconfigured: it cannot be read or makes no sense; the text tells no secret.

    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:  # the error's own text quotes lines of the file
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise Misconfigured(f"{path} is not valid YAML{where}") from None
    try:
        found = FencingFile.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {place}{': ' if place else ''}{first['msg']}") from None
    masking.hide({f"a password in {path}": found.passwords})
    return found


def _filled(method: Any, host: str) -> Any:
    """Write the host's name where it belongs."""
    values = {"{host}": host, "{short}": host.split(".", 1)[0]}

    def fill(text: str) -> str:
        for name, value in values.items():
            text = text.replace(name, value)
        return text

    changed = {
        name: fill(value) for name in type(method).model_fields if isinstance(value := getattr(method, name), str)
    }
    return method.model_copy(update=changed)
