"""Kinds of models: bodies and queries that clients send, answers that we give."""

from typing import Any, NamedTuple, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    ValidationInfo,
    computed_field,
    model_validator,
)
from pydantic_core import CoreSchema

from instance_ha.api.schemas.types import Filter, Number, Shown, ShownInSeconds, wrong
from instance_ha.models.errors import BadRequest
from instance_ha.store.paging import Page

Version = tuple[int, int]
M = TypeVar("M", bound=BaseModel)
_ANY: Version = (99, 0)


class Since(NamedTuple):
    """Marks a property that is unknown before a microversion."""

    version: Version

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Tell it in the OpenAPI document too."""
        return {**handler(schema), "x-openstack-min-microversion": self.text}

    @property
    def text(self) -> str:
        """Write the microversion."""
        return f"{self.version[0]}.{self.version[1]}"


class Body(BaseModel):
    """A part of a request body; unknown properties are refused."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _of_its_time(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse properties that the request's microversion does not know."""
        version: Version = info.context["version"] if info.context else _ANY
        for name, field in cls.model_fields.items():
            mark = next((mark for mark in field.metadata if isinstance(mark, Since)), None)
            if mark and isinstance(value, dict) and name in value and version < mark.version:
                raise wrong(f"{name} is not known before microversion {mark.text}")
        return value

    def given(self) -> dict[str, Any]:
        """Return what the client sent, and nothing it did not."""
        return self.model_dump(exclude_unset=True)


class Change(Body):
    """Body of an update."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="before")
    @classmethod
    def _something(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value:
            raise wrong("at least one property is needed")
        return value


class Query(BaseModel):
    """Query parameters; unknown ones are ignored, and of a repeated one the last counts."""

    model_config = ConfigDict(extra="ignore", defer_build=True)


class ListQuery(Query):
    """Paging and order of every list; what a list adds are its filters."""

    limit: Number | None = Field(None, description="Most items in the answer.")
    marker: Filter | None = Field(None, description="The `id` or uuid of the last item of the page before.")
    page_size: Number | None = Field(None, description="Checked, and otherwise ignored.")
    sort_key: list[str] = Field([], description="Columns to sort by; may be repeated.")
    sort_dir: list[str] = Field([], description="`asc` or `desc` for each key; keys without one take the first.")

    def page(self, most: int, *, apart: frozenset[str] = frozenset()) -> Page:
        """Say which page is asked for; ``apart`` names parameters that are no columns.

        Raises:
            BadRequest: the order makes no sense.

        """
        names = self.model_fields_set - ListQuery.model_fields.keys() - apart
        return Page(
            limit=most if self.limit is None else min(self.limit, most),
            marker=self.marker,
            sort=self._sort(),
            filters={name: getattr(self, name) for name in sorted(names)},
        )

    def _sort(self) -> tuple[tuple[str, str], ...]:
        keys = self.sort_key or (["created_at"] if self.sort_dir else [])
        if len(self.sort_dir) > len(keys):
            raise BadRequest("there are more sort_dir than sort_key parameters")
        if not set(self.sort_dir) <= {"asc", "desc"}:
            raise BadRequest("sort_dir must be asc or desc")
        default = self.sort_dir[0] if self.sort_dir else "desc"
        directions = self.sort_dir + [default] * (len(keys) - len(self.sort_dir))
        return tuple(zip(keys, directions, strict=True))


class NewestFirst(Query):
    """Paging of the lists that Masakari has not."""

    limit: Number | None = Field(None, description="Most items in the answer.")
    marker: Number | None = Field(None, description="The `id` of the last item of the page before.")

    def at_most(self, most: int) -> int:
        """Say how many items are answered; ``most`` is what the operator allows."""
        return most if self.limit is None else min(self.limit, most)


class Nothing(Query):
    """Of a request that asks by its path alone."""


class ApiModel(BaseModel):
    """What we answer, read from the record that it shows; a property without a value of its own is left out."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, defer_build=True)


class Record(ApiModel):
    """What every resource has."""

    id: int = Field(description="Number of the row; lists take it as `marker`.")
    created_at: ShownInSeconds
    updated_at: ShownInSeconds | None
    deleted_at: Shown | None

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def deleted(self) -> bool:
        """Whether it is deleted."""
        return self.deleted_at is not None


def read_body(model: type[M], body: Any, version: Version) -> M:
    """Check a body ``{envelope: {…}}`` at a microversion.

    Raises:
        BadRequest: names the first wrong property and what is wrong with it.

    """
    name, field = next(iter(model.model_fields.items()))
    envelope = field.alias or name
    if not isinstance(body, dict) or set(body) != {envelope}:
        raise BadRequest(f"the request body must be an object with the one property {envelope}")
    return _checked(model, body, {"version": version})


def read_query(model: type[M], query: dict[str, list[str]]) -> M:
    """Check query parameters.

    Raises:
        BadRequest: a value is not of its kind.

    """
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if given := query.get(field.alias or name):
            values[field.alias or name] = given if field.default == [] else given[-1]
    return _checked(model, values, {})


def _checked(model: type[M], value: Any, context: dict[str, Any]) -> M:
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        raise BadRequest(_in_words(error)) from None


def _in_words(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    if first["type"] == "union_tag_invalid":
        return f"Invalid input for {first['ctx']['discriminator']}: must be one of {first['ctx']['expected_tags']}"
    if first["type"] == "union_tag_not_found":
        return f"Invalid input for {first['ctx']['discriminator']}: Field required"
    return f"Invalid input for {'.'.join(place[1:] or place)}: {first['msg']}"
