"""Request bodies as pydantic models: the one description of what may be sent (reference, sections 1.8 to 1.11)."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError
from pydantic import model_validator as _model_validator

from instance_ha.models.enums import RecoveryMethod
from instance_ha.models.errors import BadRequest
from instance_ha.models.text import utc

T = TypeVar("T", bound=BaseModel)

_TRUE = frozenset({"True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"})
_FALSE = frozenset({"False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"})


def _printable(value: str, also: str = "") -> str:
    if any(not (c.isprintable() or c in also) or ord(c) > 0xFFFF for c in value):
        raise ValueError("has characters that cannot be printed")
    return value


def _name(value: str) -> str:
    if value != value.strip():
        raise ValueError("begins or ends with white space")
    return _printable(value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUE | _FALSE:
        return value in _TRUE
    raise ValueError("is neither true nor false")


def _uuid_like(value: str) -> str:
    try:
        UUID(value)
    except ValueError:
        raise ValueError("is no uuid") from None
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("is no ISO 8601 time in a string")
    try:
        return utc(value)
    except ValueError:
        raise ValueError("is no ISO 8601 time") from None


Name = Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_name)]
Text = Annotated[StrictStr, AfterValidator(lambda value: _printable(value, "\n"))]
Alnum = Annotated[StrictStr, Field(max_length=255, pattern=r"^[a-zA-Z0-9]*$")]
Bool = Annotated[bool, BeforeValidator(_bool)]
Time = Annotated[datetime, BeforeValidator(_time)]
Short = Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_printable)]


class Body(BaseModel):
    """A part of a request; unknown properties are refused."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Return what the client sent, and nothing it did not."""
        return self.model_dump(exclude_unset=True)


class _Change(Body):
    @_model_validator(mode="before")
    @classmethod
    def _something(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value:
            raise ValueError("at least one property is needed")
        return value


class NewSegment(Body):
    """Body of segment create below 1.2."""

    name: Name
    recovery_method: RecoveryMethod
    service_type: Name
    description: Text | None = None


class NewSegment12(NewSegment):
    """Body of segment create from 1.2 on."""

    enabled: Bool = True


class SegmentChange(_Change):
    """Body of segment update below 1.2."""

    name: Name = ""
    recovery_method: RecoveryMethod = RecoveryMethod.AUTO
    service_type: Name = ""
    description: Text | None = None


class SegmentChange12(SegmentChange):
    """Body of segment update from 1.2 on."""

    enabled: Bool = True


class NewHost(Body):
    """Body of host create."""

    name: Name
    type: Alnum
    control_attributes: Text
    reserved: Bool = False
    on_maintenance: Bool = False


class HostChange(_Change):
    """Body of host update."""

    name: Name = ""
    type: Alnum = ""
    control_attributes: Text = ""
    reserved: Bool = False
    on_maintenance: Bool = False


class HostPayload(Body):
    """Payload of a COMPUTE_HOST notification."""

    event: Literal["STARTED", "STOPPED"]
    host_status: Literal["NORMAL", "UNKNOWN"] = "NORMAL"
    cluster_status: Literal["ONLINE", "OFFLINE"] = "ONLINE"


class ProcessPayload(Body):
    """Payload of a PROCESS notification."""

    event: Literal["STARTED", "STOPPED"]
    process_name: Short


class InstancePayload(Body):
    """Payload of a VM notification."""

    instance_uuid: Annotated[Short, AfterValidator(_uuid_like)]
    event: Short
    vir_domain_event: Short


class _NewNotification(Body):
    hostname: Annotated[StrictStr, Field(min_length=1, max_length=255, pattern=r"^[a-zA-Z0-9\-._]*$")]
    generated_time: Time


class NewHostNotification(_NewNotification):
    """Body of a COMPUTE_HOST notification."""

    type: Literal["COMPUTE_HOST"]
    payload: HostPayload


class NewProcessNotification(_NewNotification):
    """Body of a PROCESS notification."""

    type: Literal["PROCESS"]
    payload: ProcessPayload


class NewInstanceNotification(_NewNotification):
    """Body of a VM notification."""

    type: Literal["VM"]
    payload: InstancePayload


NEW_NOTIFICATION: dict[str, type[NewHostNotification | NewProcessNotification | NewInstanceNotification]] = {
    "COMPUTE_HOST": NewHostNotification,
    "PROCESS": NewProcessNotification,
    "VM": NewInstanceNotification,
}


def read(body: Any, envelope: str, model: type[T]) -> T:
    """Check a body ``{envelope: {…}}``.

    Raises:
        BadRequest: names the first wrong property and what is wrong with it.

    """
    if not isinstance(body, dict) or set(body) != {envelope}:
        raise BadRequest(f"the request body must be an object with the one property {envelope}")
    try:
        return model.model_validate(body[envelope])
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or envelope
        raise BadRequest(f"Invalid input for {place}: {first['msg']}") from None
