from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from instance_ha.models.errors import BadRequest
from instance_ha.store import segments
from instance_ha.store.database import Database
from instance_ha.store.paging import Page

from tests.unit.build import NOW
from tests.unit.store.conftest import Rows

KEYS = ["id", "uuid", "name", "service_type", "description", "recovery_method", "created_at", "updated_at"]
SORTS = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["asc", "desc"])), max_size=3).map(tuple)


@pytest.fixture
def family(rows: Rows) -> list[str]:
    """Names of segments with ties and nulls in all that may be null."""
    names = []
    for number, (kind, description, changed) in enumerate(product("ab", [None, "x", "y"], [False, True])):
        segment = rows.segment(name=f"{number:02}", service_type=kind, description=description)
        names.append(segment.name)
        if changed:
            with rows.database.begin() as connection:
                segments.change(connection, segment.uuid, {}, NOW + timedelta(seconds=number // 4))
    return names


def _names(database: Database, page: Page) -> list[str]:
    with database.begin() as connection:
        return [row.name for row in segments.page(connection, page)]


def _walk(database: Database, limit: int, sort: tuple[tuple[str, str], ...], key: str) -> Iterator[str]:
    marker = None
    while True:
        with database.begin() as connection:
            page = segments.page(connection, Page(limit, marker, sort))
        if not page:
            return
        yield from (row.name for row in page)
        marker = str(getattr(page[-1], key))


@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sort=SORTS, limit=st.integers(1, 13), key=st.sampled_from(["id", "uuid"]))
def test_pages_of_any_size_and_order_walk_over_every_row_once(
    database: Database, family: list[str], sort: tuple[tuple[str, str], ...], limit: int, key: str
) -> None:
    whole = _names(database, Page(1000, None, sort))
    assert sorted(family) == sorted(whole)
    assert whole == list(_walk(database, limit, sort, key))


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.usefixtures("family")
def test_pages_in_the_order_of_a_boolean_walk_over_every_row_once(database: Database, direction: str) -> None:
    sort = (("enabled", direction),)
    assert _names(database, Page(1000, None, sort)) == list(_walk(database, 5, sort, "id"))


@pytest.mark.parametrize(("direction", "place"), [("asc", 0), ("desc", -1)])
@pytest.mark.usefixtures("family")
def test_nulls_are_the_smallest(database: Database, direction: str, place: int) -> None:
    with database.begin() as connection:
        page = segments.page(connection, Page(100, None, (("description", direction),)))
    assert page[place].description is None
    assert page[-1 - place].description == "y"


def test_without_a_wish_the_newest_comes_first(database: Database, family: list[str]) -> None:
    assert family[::-1] == _names(database, Page(100))


def test_ties_are_broken_in_the_first_given_direction(database: Database, family: list[str]) -> None:
    assert family == _names(database, Page(100, None, (("recovery_method", "asc"),)))


@pytest.mark.usefixtures("family")
def test_a_filter_holds_on_every_page(database: Database) -> None:
    filters: dict[str, Any] = {"service_type": "a"}
    first = _names(database, Page(4, None, (("name", "asc"),), filters))
    with database.begin() as connection:
        marker = segments.page(connection, Page(4, None, (("name", "asc"),), filters))[-1].uuid
    rest = _names(database, Page(4, marker, (("name", "asc"),), filters))
    assert first + rest == ["00", "01", "02", "03", "04", "05"]


def test_a_marker_that_the_filter_leaves_out_still_says_where_to_go_on(rows: Rows) -> None:
    a, b = rows.segment(name="a", service_type="x"), rows.segment(name="b", service_type="y")
    assert [a.name] == _names(rows.database, Page(9, b.uuid, (), {"service_type": "x"}))


def test_a_page_of_nothing_is_empty(database: Database, family: list[str]) -> None:
    assert _names(database, Page(0)) == []
    assert family


@pytest.mark.parametrize("marker", ["nobody", "0", "9" * 18, "9" * 30, "-1", ""])
def test_an_unknown_marker_is_a_bad_request(database: Database, marker: str) -> None:
    with pytest.raises(BadRequest):
        _names(database, Page(5, marker))


def test_a_deleted_row_is_no_marker(rows: Rows) -> None:
    segment = rows.segment()
    with rows.database.begin() as connection:
        segments.delete(connection, segment.uuid, NOW)
    with pytest.raises(BadRequest):
        _names(rows.database, Page(5, segment.uuid))


@pytest.mark.parametrize("key", ["hosts", "colour", "", "name; DROP TABLE hosts"])
def test_an_unknown_sort_key_is_a_bad_request(database: Database, key: str) -> None:
    with pytest.raises(BadRequest, match="sort key"):
        _names(database, Page(5, None, ((key, "asc"),)))
