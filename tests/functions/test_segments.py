"""Segments and what all lists and bodies share."""

import re
from typing import Any

import pytest

from local.hosting import InProcess
from tests.functions.conftest import Installation, fault, unique

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000"
MARKER_WITH_NUL = pytest.param("marker=%00")
SORT_BY_BOOLEAN = pytest.param("sort_key=enabled")
BODY = {"name": "rack", "recovery_method": "auto", "service_type": "COMPUTE"}


def test_a_created_segment_is_answered_whole(installation: Installation) -> None:
    name = unique("rack")
    answer = installation.post("/v1/segments", {"segment": BODY | {"name": name}})
    shown = answer.json()["segment"]
    fixed = {key: shown[key] for key in shown if key not in {"id", "uuid", "created_at"}}
    assert answer.status_code == 201
    assert fixed == {
        "name": name,
        "service_type": "COMPUTE",
        "enabled": True,
        "description": None,
        "recovery_method": "auto",
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
    }


def test_times_have_no_zone_and_six_digits_of_fraction_that_are_zero(
    installation: Installation, segment: dict[str, Any]
) -> None:
    assert re.fullmatch(TIME, segment["created_at"])
    changed = installation.put(f"/v1/segments/{segment['uuid']}", {"segment": {"description": "new"}})
    assert re.fullmatch(TIME, changed.json()["segment"]["updated_at"])


def test_a_segment_is_shown_as_it_was_created(installation: Installation, segment: dict[str, Any]) -> None:
    assert segment == installation.get(f"/v1/segments/{segment['uuid']}").json()["segment"]


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"nonsense", b"[" * 100_000])
def test_malformed_json_is_a_bad_request(installation: Installation, data: bytes) -> None:
    assert fault(installation.post("/v1/segments", data=data)) == (400, "badRequest")


@pytest.mark.parametrize("body", [[], {}, "text", 5, {"segment": None}, {"segment": []}, {"segment": BODY, "more": 1}])
def test_a_body_of_another_shape_is_a_bad_request(installation: Installation, body: Any) -> None:
    assert fault(installation.post("/v1/segments", body)) == (400, "badRequest")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_empty_body_is_a_bad_request(installation: Installation, segment: dict[str, Any], method: str) -> None:
    path = "/v1/segments" if method == "POST" else f"/v1/segments/{segment['uuid']}"
    assert fault(installation.call(method, path)) == (400, "badRequest")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"name": 5},
        {"name": ""},
        {"name": " rack"},
        {"name": "a\tb"},
        {"name": "\N{GRINNING FACE}"},
        {"name": "x" * 256},
        {"recovery_method": "magic"},
        {"recovery_method": None},
        {"service_type": []},
        {"description": "a\x00b"},
        {"enabled": 1},
        {"enabled": None},
        {"enabled": "maybe"},
        {"colour": "red"},
        {"id": 5},
    ],
    ids=str,
)
def test_a_wrong_or_unknown_property_is_a_bad_request(installation: Installation, wrong: dict[str, Any]) -> None:
    assert fault(installation.post("/v1/segments", {"segment": BODY | wrong})) == (400, "badRequest")


@pytest.mark.parametrize("missing", sorted(BODY))
def test_a_missing_property_is_a_bad_request(installation: Installation, missing: str) -> None:
    body = {key: value for key, value in BODY.items() if key != missing}
    answer = installation.post("/v1/segments", {"segment": body})
    assert fault(answer) == (400, "badRequest")
    assert missing in answer.text


def test_an_update_of_nothing_is_a_bad_request(installation: Installation, segment: dict[str, Any]) -> None:
    assert fault(installation.put(f"/v1/segments/{segment['uuid']}", {"segment": {}})) == (400, "badRequest")


def test_enabled_is_unknown_below_1_2(installation: Installation, segment: dict[str, Any]) -> None:
    body = {"segment": {"enabled": False}}
    path = f"/v1/segments/{segment['uuid']}"
    assert fault(installation.put(path, body, version="1.1")) == (400, "badRequest")
    assert installation.put(path, body, version="1.2").json()["segment"]["enabled"] is False


def test_the_string_false_disables_a_segment(installation: Installation, segment: dict[str, Any]) -> None:
    path = f"/v1/segments/{segment['uuid']}"
    assert installation.put(path, {"segment": {"enabled": "False"}}).json()["segment"]["enabled"] is False
    assert installation.put(path, {"segment": {"enabled": "on"}}).json()["segment"]["enabled"] is True


def test_a_body_that_is_too_large_is_413_before_anybody_asks_for_a_token(installation: Installation) -> None:
    answer = installation.post("/v1/segments", data=b" " * 114_689, user=None)
    assert fault(answer) == (413, "overLimit")


def test_another_content_type_is_415(installation: Installation) -> None:
    answer = installation.post("/v1/segments", data=b"<a/>", headers={"Content-Type": "application/xml"})
    assert fault(answer) == (415, "badMediaType")


def test_an_odd_content_type_of_a_get_does_not_matter(installation: Installation) -> None:
    assert installation.get("/v1/segments", headers={"Content-Type": "application/xml"}).status_code == 200


@pytest.mark.parametrize("path", ["nobody", "00000000-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_segment_is_not_found(installation: Installation, method: str, path: str) -> None:
    assert fault(installation.call(method, f"/v1/segments/{path}")) == (404, "itemNotFound")


def test_an_update_of_an_unknown_segment_is_not_found(installation: Installation) -> None:
    assert fault(installation.put("/v1/segments/nobody", {"segment": {"name": "a"}})) == (404, "itemNotFound")


def test_a_uuid_in_upper_case_is_not_found(installation: Installation, segment: dict[str, Any]) -> None:
    assert fault(installation.get(f"/v1/segments/{segment['uuid'].upper()}")) == (404, "itemNotFound")


def test_a_nul_in_the_path_is_not_found(installation: Installation) -> None:
    assert fault(installation.get("/v1/segments/%00")) == (404, "itemNotFound")


def test_a_name_in_use_is_a_conflict(installation: Installation, segment: dict[str, Any]) -> None:
    answer = installation.post("/v1/segments", {"segment": BODY | {"name": segment["name"]}})
    assert fault(answer) == (409, "conflictingRequest")


def test_a_change_to_a_name_in_use_is_a_conflict(installation: Installation, segment: dict[str, Any]) -> None:
    other = installation.segment()
    answer = installation.put(f"/v1/segments/{other['uuid']}", {"segment": {"name": segment["name"]}})
    assert fault(answer) == (409, "conflictingRequest")


def test_a_segment_may_be_given_the_name_it_has(installation: Installation, segment: dict[str, Any]) -> None:
    answer = installation.put(f"/v1/segments/{segment['uuid']}", {"segment": {"name": segment["name"]}})
    assert answer.status_code == 200


def test_a_deleted_segment_is_gone_and_its_name_is_free(installation: Installation, segment: dict[str, Any]) -> None:
    answer = installation.delete(f"/v1/segments/{segment['uuid']}")
    assert (answer.status_code, answer.text) == (204, "")
    assert installation.get(f"/v1/segments/{segment['uuid']}").status_code == 404
    assert installation.segment(name=segment["name"])["uuid"] != segment["uuid"]


def test_deleting_a_segment_deletes_its_hosts(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    assert installation.delete(f"/v1/segments/{segment['uuid']}").status_code == 204
    other = installation.segment()
    body = {"name": host["name"], "type": "COMPUTE", "control_attributes": "SSH"}
    answer = installation.post(f"/v1/segments/{other['uuid']}/hosts", {"host": body})
    assert answer.status_code == 201


@pytest.mark.usefixtures("under_recovery")
@pytest.mark.parametrize(("method", "body"), [("PUT", {"segment": {"description": "new"}}), ("DELETE", None)])
def test_a_segment_under_recovery_is_not_changed(
    installation: Installation, segment: dict[str, Any], method: str, body: Any
) -> None:
    answer = installation.call(method, f"/v1/segments/{segment['uuid']}", body)
    assert fault(answer) == (409, "conflictingRequest")


@pytest.mark.usefixtures("under_recovery")
def test_a_segment_under_recovery_may_be_disabled(installation: Installation, segment: dict[str, Any]) -> None:
    answer = installation.put(f"/v1/segments/{segment['uuid']}", {"segment": {"enabled": False}})
    assert answer.json()["segment"]["enabled"] is False


@pytest.fixture(scope="module")
def family(installation: Installation) -> list[dict[str, Any]]:
    """Five segments, oldest first, that a filter finds."""
    kind = unique("type")
    about: list[dict[str, Any]] = [{"name": f"{letter}-{kind}"} for letter in "cabed"]
    about[0]["description"] = "z"
    about[1]["enabled"] = False
    about[2]["description"] = "a"
    about[3]["recovery_method"] = "rh_priority"
    return [installation.segment(service_type=kind, **one) for one in about]


def listed(installation: Installation, family: list[dict[str, Any]], query: str = "") -> str:
    """Return the first letter of each name."""
    answer = installation.get(f"/v1/segments?service_type={family[0]['service_type']}&{query}")
    assert answer.status_code == 200, answer.text
    return "".join(one["name"][0] for one in answer.json()["segments"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "debac"),
        ("limit=2", "de"),
        ("limit=0", ""),
        ("limit=1&limit=3", "deb"),
        ("sort_dir=asc", "cabed"),
        ("sort_key=name&sort_dir=asc", "abcde"),
        ("sort_key=name", "edcba"),
        ("sort_key=recovery_method&sort_dir=desc", "edbac"),
        ("sort_key=description&sort_dir=asc", "aedbc"),
        ("sort_key=description&sort_dir=desc", "cbdea"),
        ("sort_key=enabled&sort_key=name&sort_dir=asc&sort_dir=desc", "aedcb"),
        ("enabled=True", "debc"),
        ("enabled=False", "a"),
        ("enabled=0", "a"),
        ("recovery_method=rh_priority", "e"),
        ("recovery_method=unknown", ""),
        ("unknown=1", "debac"),
        ("name=nobody", "debac"),
    ],
)
def test_a_list_is_filtered_sorted_and_limited_as_asked(
    installation: Installation, family: list[dict[str, Any]], query: str, names: str
) -> None:
    assert names == listed(installation, family, query)


@pytest.mark.parametrize("key", ["id", "uuid"])
def test_a_list_goes_on_after_the_marker_by_id_and_by_uuid(
    installation: Installation, family: list[dict[str, Any]], key: str
) -> None:
    assert listed(installation, family, f"marker={family[3][key]}") == "bac"


def test_a_list_after_its_last_item_is_empty(installation: Installation, family: list[dict[str, Any]]) -> None:
    assert listed(installation, family, f"marker={family[0]['id']}") == ""


@pytest.mark.parametrize("query", ["sort_key=description&sort_dir=asc", SORT_BY_BOOLEAN, "sort_key=name", ""])
def test_pages_of_two_hold_every_item_once(
    installation: Installation, family: list[dict[str, Any]], query: str
) -> None:
    whole, names, marker = listed(installation, family, query), "", ""
    ids = {one["name"][0]: one["id"] for one in family}
    while page := listed(installation, family, f"{query}&limit=2{marker}"):
        names += page
        marker = f"&marker={ids[page[-1]]}"
    assert whole == names


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=",
        "limit=two",
        "marker=",
        "marker=nobody",
        "marker=999999999",
        "marker=99999999999999999999999",
        MARKER_WITH_NUL,
        "sort_key=hosts",
        "sort_key=colour",
        "sort_key=%00",
        "sort_dir=up",
        "sort_key=name&sort_dir=asc&sort_dir=asc",
        "page_size=x",
        "enabled=maybe",
        "enabled=",
    ],
)
def test_a_wrong_list_parameter_is_a_bad_request(installation: Installation, query: str) -> None:
    assert fault(installation.get(f"/v1/segments?{query}")) == (400, "badRequest")


def test_a_nul_in_a_filter_finds_nothing(installation: Installation) -> None:
    assert installation.get("/v1/segments?service_type=%00").json() == {"segments": []}


@pytest.mark.parametrize(
    ("method", "path", "body", "statements"),
    [
        ("GET", "/v1/segments", None, 1),
        ("GET", "/v1/segments/{uuid}", None, 1),
        ("PUT", "/v1/segments/{uuid}", {"segment": {"description": "other"}}, 5),
        ("DELETE", "/v1/segments/{uuid}", None, 6),
    ],
)
def test_a_request_sends_postgres_no_more_than_it_asks_for(
    installation: Installation, segment: dict[str, Any], method: str, path: str, body: Any, statements: int
) -> None:
    backend = installation.runtime.backend
    assert isinstance(backend, InProcess)
    database = backend.world("api-segments").database
    installation.get("/v1/segments")
    before = database.statements
    assert installation.call(method, path.format(**segment), body).status_code < 300
    assert database.statements - before == statements
