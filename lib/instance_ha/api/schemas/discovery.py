"""Version documents, extensions and faults."""

from typing import Any

from pydantic import Field, RootModel

from instance_ha.api.schemas.base import ApiModel


class Link(ApiModel):
    """A link."""

    rel: str
    href: str
    type: str = ""


class MediaType(ApiModel):
    """A media type of the API."""

    base: str
    type: str


class Version(ApiModel):
    """A version of the API, and its microversions."""

    id: str
    status: str
    version: str
    min_version: str
    updated: str
    links: list[Link]
    media_types: list[MediaType] = Field([], alias="media-types")


class VersionsEnvelope(ApiModel):
    """All versions."""

    versions: list[Version]


class VersionEnvelope(ApiModel):
    """One version."""

    version: Version


class Choice(ApiModel):
    """A version that a request without one might have meant."""

    id: str
    status: str
    links: list[Link]
    media_types: list[MediaType] = Field(alias="media-types")


class ChoicesEnvelope(ApiModel):
    """What to choose from."""

    choices: list[Choice]


class Extension(ApiModel):
    """A part of the API."""

    name: str
    alias: str
    description: str
    namespace: str
    updated: str
    links: list[Link]


class ExtensionsEnvelope(ApiModel):
    """All parts of the API that the caller may use."""

    extensions: list[Extension]


class ExtensionEnvelope(ApiModel):
    """One part of the API."""

    extension: Extension


class FaultDetail(ApiModel):
    """What went wrong."""

    code: int
    message: str


class FaultEnvelope(RootModel[dict[str, FaultDetail]]):
    """An error: the one property has the name of its kind, such as `badRequest`."""


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""
