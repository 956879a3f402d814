"""Discovery, microversions, tokens, and requests that fit no route."""

import json
import re

import pytest

from local.files import repository
from tests.functions.conftest import Installation, fault

HEADER = "OpenStack-API-Version"
ALIASES = ["extensions", "notifications", "os-hosts", "segments", "versions", "vmoves"]
REQUEST_ID = r"req-[0-9a-f-]{36}"


def test_the_root_document_needs_no_token_and_tells_the_microversions(installation: Installation) -> None:
    answer = installation.get("/", user=None)
    (version,) = answer.json()["versions"]
    assert answer.status_code == 200
    assert tuple(version[key] for key in ("id", "status", "min_version", "version")) == (
        "v1.0",
        "CURRENT",
        "1.0",
        "1.3",
    )
    assert [{"rel": "self", "href": f"{installation.url}/v1/"}] == version["links"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/versions/v1.0"])
def test_the_v1_document_needs_no_token(installation: Installation, path: str) -> None:
    answer = installation.get(path, user=None)
    assert answer.status_code == 200
    assert answer.json()["version"]["version"] == "1.3"
    assert answer.json()["version"]["media-types"][0]["base"] == "application/json"


def test_an_unknown_version_document_is_not_found(installation: Installation) -> None:
    assert fault(installation.get("/v1/versions/v2.0")) == (404, "itemNotFound")


@pytest.mark.parametrize("path", ["/v2", "/v1.0", "/anything/else"])
def test_a_path_outside_v1_gets_the_choices(installation: Installation, path: str) -> None:
    answer = installation.get(path, user=None)
    assert answer.status_code == 300
    assert f"{installation.url}/v1{path}" == answer.json()["choices"][0]["links"][0]["href"]


def test_without_the_header_microversion_1_0_answers(installation: Installation) -> None:
    answer = installation.get("/v1/segments", version=None)
    assert answer.headers["OpenStack-API-Version"] == "instance-ha 1.0"
    assert answer.headers["Vary"] == "OpenStack-API-Version"


def test_latest_is_1_3(installation: Installation) -> None:
    answer = installation.get("/v1/segments", version="latest")
    assert answer.headers["OpenStack-API-Version"] == "instance-ha 1.3"


def test_the_entry_of_instance_ha_counts_among_other_services(installation: Installation) -> None:
    header = {"OpenStack-API-Version": "compute 2.90, instance-ha 1.2"}
    answer = installation.get("/v1/segments", version=None, headers=header)
    assert answer.headers["OpenStack-API-Version"] == "instance-ha 1.2"


LONG = "9" * 4301  # digits: more than Python turns into a number


@pytest.mark.parametrize("version", ["0.9", "1.01", "abc", "1", LONG, f"1.{LONG}", f"{LONG}.0", "\u0661.0", "1.\xb2"])
def test_a_malformed_microversion_is_a_bad_request(installation: Installation, version: str) -> None:
    answer = installation.get("/v1/segments", version=None, headers={HEADER: f"instance-ha {version}".encode()})
    assert fault(answer) == (400, "badRequest")
    assert "OpenStack-API-Version" not in answer.headers


@pytest.mark.parametrize("version", ["1.4", "1.10", "2.0"])
def test_a_microversion_out_of_range_is_not_acceptable(installation: Installation, version: str) -> None:
    answer = installation.get("/v1/segments", version=version)
    assert fault(answer) == (406, "masakariFault")
    assert "OpenStack-API-Version" not in answer.headers
    assert answer.headers["Vary"] == "OpenStack-API-Version"


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/notifications", "/v1/segments/x/hosts", "/v1/unknown"])
def test_without_a_token_the_answer_is_401_and_tells_no_inner_address(installation: Installation, path: str) -> None:
    answer = installation.get(path, user=None)
    assert fault(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Keystone"


@pytest.mark.parametrize("version", ["9.9", "abc"])
def test_without_a_token_nothing_is_said_of_the_version(installation: Installation, version: str) -> None:
    assert fault(installation.get("/v1/segments", user=None, version=version)) == (401, "unauthorized")


def test_an_invalid_token_is_unauthorized(installation: Installation) -> None:
    answer = installation.get("/v1/segments", user=None, headers={"X-Auth-Token": "not-a-token"})
    assert fault(answer) == (401, "unauthorized")


@pytest.mark.parametrize("path", ["/v1/segments", "/v1/notifications", "/v1/segments/x/hosts"])
def test_a_user_without_the_role_admin_is_forbidden(installation: Installation, path: str) -> None:
    assert fault(installation.get(path, user="demo")) == (403, "forbidden")


def test_a_caller_that_may_not_create_hears_so_before_the_body_is_read(installation: Installation) -> None:
    assert fault(installation.post("/v1/segments", {"nonsense": 1}, user="demo")) == (403, "forbidden")


def test_the_project_of_the_token_may_stand_in_the_path(installation: Installation) -> None:
    project = installation.cloud.identity.users["admin"].project.id
    assert installation.get(f"/v1/{project}/segments").status_code == 200


def test_another_project_in_the_path_is_a_bad_request(installation: Installation) -> None:
    project = installation.cloud.identity.users["demo"].project.id
    assert fault(installation.get(f"/v1/{project}/segments")) == (400, "badRequest")


def test_a_non_admin_with_another_project_in_the_path_gets_400_and_not_403(installation: Installation) -> None:
    project = installation.cloud.identity.users["admin"].project.id
    assert fault(installation.get(f"/v1/{project}/segments", user="demo")) == (400, "badRequest")


@pytest.mark.parametrize(
    "path", ["/v1/unknown", "/v1/segments/", "/v1/notifications/", "/v1/Project!/segments", "/v1/abc"]
)
def test_an_unknown_path_below_v1_is_not_found_in_the_fault_format(installation: Installation, path: str) -> None:
    assert fault(installation.get(path)) == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/segments"),
        ("DELETE", "/v1/notifications/x"),
        ("PUT", "/v1/notifications/x"),
        ("POST", "/v1/notifications/x/vmoves"),
        ("DELETE", "/v1/notifications/x/vmoves/y"),
        ("POST", "/v1/segments/x"),
    ],
)
def test_a_method_that_the_resource_lacks_is_405_and_told_which_it_has(
    installation: Installation, method: str, path: str
) -> None:
    answer = installation.call(method, path)
    assert fault(answer) == (405, "badMethod")
    allowed = answer.headers["Allow"].split(", ")
    assert method not in allowed
    assert all(installation.call(one, path, {}).status_code != 405 for one in allowed)


@pytest.mark.parametrize("path", ["/v1", "/v1/segments", "/v1/unknown"])
def test_every_answer_below_v1_has_a_request_id(installation: Installation, path: str) -> None:
    assert re.fullmatch(REQUEST_ID, installation.get(path).headers["x-openstack-request-id"])


def test_a_refused_request_has_a_request_id(installation: Installation) -> None:
    answer = installation.get("/v1/segments", user=None)
    assert re.fullmatch(REQUEST_ID, answer.headers["x-openstack-request-id"])


def test_the_callers_request_id_is_not_the_answers(installation: Installation) -> None:
    theirs = "req-00000000-0000-4000-8000-000000000000"
    answer = installation.get("/v1/segments", headers={"X-OpenStack-Request-ID": theirs})
    assert re.fullmatch(REQUEST_ID, answer.headers["x-openstack-request-id"])
    assert theirs != answer.headers["x-openstack-request-id"]


def test_the_root_document_has_no_request_id(installation: Installation) -> None:
    assert "x-openstack-request-id" not in installation.get("/", user=None).headers


def test_the_openapi_document_is_served_to_anybody_and_is_the_one_in_docs(installation: Installation) -> None:
    answer = installation.get("/openapi.json", user=None, version=None)
    assert answer.status_code == 200
    assert json.loads((repository() / "docs/openapi.json").read_text()) == answer.json()


def test_the_extensions_are_the_parts_of_the_api(installation: Installation) -> None:
    extensions = installation.get("/v1/extensions").json()["extensions"]
    assert [one["alias"] for one in extensions] == ALIASES
    assert {tuple(one) for one in extensions} == {("name", "alias", "description", "namespace", "updated", "links")}


@pytest.mark.parametrize("alias", ALIASES)
def test_an_extension_is_shown_by_its_alias(installation: Installation, alias: str) -> None:
    assert installation.get(f"/v1/extensions/{alias}").json()["extension"]["alias"] == alias


def test_an_unknown_extension_is_not_found(installation: Installation) -> None:
    assert fault(installation.get("/v1/extensions/quotas")) == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/segments/new"),
        ("GET", "/v1/segments/x/edit"),
        ("POST", "/v1/segments/x/action"),
        ("GET", "/v1/segments/x/hosts/new"),
        ("POST", "/v1/notifications/x/action"),
        ("GET", "/v1/notifications/x/vmoves/y/edit"),
    ],
)
def test_the_forms_that_the_original_routes_are_405(installation: Installation, method: str, path: str) -> None:
    assert fault(installation.call(method, path)) == (405, "badMethod")


@pytest.mark.parametrize("suffix", [".json", ".xml"])
def test_a_suffix_of_the_path_changes_nothing(installation: Installation, suffix: str) -> None:
    answer = installation.get(f"/v1/segments{suffix}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_our_own_user_gets_one_token_for_the_whole_life_of_a_function(installation: Installation) -> None:
    for _ in range(2):
        installation.get("/v1/segments", user=None, headers={"X-Auth-Token": installation.token(fresh=True)})
    before = tokens_issued(installation)
    for _ in range(3):
        answer = installation.get("/v1/segments", user=None, headers={"X-Auth-Token": installation.token(fresh=True)})
        assert answer.status_code == 200
    assert tokens_issued(installation) - before == 3  # the callers' own


def tokens_issued(installation: Installation) -> int:
    """Count the tokens that Keystone has issued."""
    with installation.cloud.world():
        return len(installation.cloud.identity._tokens)


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html", "application/json"),
        ("", "application/json"),
        ("application/vnd.openstack.masakari+json", "application/vnd.openstack.masakari+json"),
        ("application/json;q=0.5, application/vnd.openstack.masakari+json", "application/vnd.openstack.masakari+json"),
    ],
)
def test_the_vendors_media_type_is_answered_to_who_prefers_it(
    installation: Installation, accept: str, answered: str
) -> None:
    answer = installation.get("/v1/segments", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, answered)


def test_the_vendors_media_type_is_read_as_json(installation: Installation) -> None:
    header = {"Content-Type": "application/vnd.openstack.masakari+json; charset=UTF-8"}
    answer = installation.post("/v1/segments", data=b'{"segment": {}}', headers=header)
    assert fault(answer) == (400, "badRequest")


@pytest.mark.parametrize("path", ["/v1/segments/%0A", "/v1/segments/a%0Ab/hosts"])
def test_a_path_with_a_line_break_is_not_found_in_the_fault_format(installation: Installation, path: str) -> None:
    assert fault(installation.get(path)) == (404, "itemNotFound")
