"""Version documents, extensions and faults (reference, sections 1.2, 1.5 and 1.13)."""

from typing import Any

from pydantic import Field, RootModel

from instance_ha.api.schemas.base import Answer


class Link(Answer):
    """A link."""

    rel: str
    href: str
    type: str = ""


class MediaType(Answer):
    """A media type of the API."""

    base: str
    type: str


class Version(Answer):
    """A version of the API, and its microversions."""

    id: str
    status: str
    version: str
    min_version: str
    updated: str
    links: list[Link]
    media_types: list[MediaType] = Field([], alias="media-types")


class VersionsAnswer(Answer):
    """All versions."""

    versions: list[Version]


class VersionAnswer(Answer):
    """One version."""

    version: Version


class Choice(Answer):
    """A version that a request without one might have meant."""

    id: str
    status: str
    links: list[Link]
    media_types: list[MediaType] = Field(alias="media-types")


class ChoicesAnswer(Answer):
    """What to choose from."""

    choices: list[Choice]


class Extension(Answer):
    """A part of the API."""

    name: str
    alias: str
    description: str
    namespace: str
    updated: str
    links: list[Link]


class ExtensionsAnswer(Answer):
    """All parts of the API that the caller may use."""

    extensions: list[Extension]


class ExtensionAnswer(Answer):
    """One part of the API."""

    extension: Extension


class FaultDetail(Answer):
    """What went wrong."""

    code: int
    message: str


class FaultAnswer(RootModel[dict[str, FaultDetail]]):
    """An error: the one property has the name of its kind, such as `badRequest`."""


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""
