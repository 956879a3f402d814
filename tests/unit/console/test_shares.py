"""Long lists, in shares."""

import pytest
from instance_ha.console.shares import number, share


@pytest.mark.parametrize(
    ("page", "items", "shown"),
    [
        (None, [0, 1, 2], 1),
        ("2", [3, 4, 5], 2),
        ("3", [6], 3),
        ("9", [6], 3),
        ("0", [0, 1, 2], 1),
        ("x", [0, 1, 2], 1),
        ("٣", [0, 1, 2], 1),
        ("9" * 30, [0, 1, 2], 1),
    ],
)
def test_an_address_asks_for_a_share(page: str | None, items: list[int], shown: int) -> None:
    found = share(range(7), page, 3)
    assert (list(found.items), found.page, found.pages, found.total) == (items, shown, 3, 7)


def test_an_empty_list_has_one_empty_share() -> None:
    assert share([], None, 3).pages == 1


@pytest.mark.parametrize(("text", "read"), [("7", 7), (None, None), ("", None), ("-1", None), ("9" * 19, None)])
def test_what_is_no_id_goes_on_from_nowhere(text: str | None, read: int | None) -> None:
    assert number(text) == read
