"""``/_/metrics``: for callers with the token, and for nobody else."""

from pathlib import Path

import flask
import pytest
from instance_ha import composition
from instance_ha.models.metrics import ALL
from instance_ha.serving import scrape
from instance_ha.settings import load
from instance_ha_simulator.simulation import FUNCTIONS

from tests.functions.conftest import Installation, fault

WRONG = (None, "Bearer", "Bearer ", "Bearer no", "Basic {token}", "{token}", "Bearer {token}x", "Bearer \u00e9")


def token(installation: Installation) -> str:
    """Return the token of the installation."""
    return (installation.runtime.options.state_dir / "secrets/metrics-token").read_text().strip()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_serves_every_metric_to_who_knows_the_token(installation: Installation, name: str) -> None:
    known = {"Authorization": f"Bearer {token(installation)}"}
    answer = installation.get(f"/function/{name}/_/metrics", user=None, version=None, headers=known)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert [metric.name for metric in ALL if f"# TYPE {metric.shown} {metric.form}\n" not in answer.text] == []


@pytest.mark.parametrize("given", WRONG)
def test_a_scrape_without_the_token_is_refused(installation: Installation, given: str | None) -> None:
    headers = (
        {} if given is None else {"Authorization": given.format(token=token(installation)).encode().decode("latin-1")}
    )
    answer = installation.get("/function/sweep/_/metrics", user=None, version=None, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "instance_ha" not in answer.text


def test_an_administrators_keystone_token_does_not_open_the_metrics(installation: Installation) -> None:
    assert installation.get("/function/api-segments/_/metrics").status_code == 401


def test_the_metrics_are_no_path_of_the_public_api(installation: Installation) -> None:
    known = {"Authorization": f"Bearer {token(installation)}"}
    assert installation.get("/_/metrics", headers=known).status_code == 404


def test_the_metrics_are_only_read(installation: Installation) -> None:
    known = {"Authorization": f"Bearer {token(installation)}"}
    assert fault(installation.post("/function/sweep/_/metrics", user=None, version=None, headers=known))[0] == 405


@pytest.mark.parametrize("path", ["/_/health", "/_/ready"])
def test_health_and_readiness_stay_open(installation: Installation, path: str) -> None:
    assert installation.get(f"/function/sweep{path}", user=None, version=None).status_code == 200


@pytest.mark.parametrize("content", [None, "", " \n\n"])
def test_without_a_token_in_the_secret_there_are_no_metrics(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "metrics-token").write_text(content)
    world = composition.of({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_SECRETS_DIR": str(tmp_path)}).api()
    for headers in ({}, {"Authorization": "Bearer "}):
        with flask.Flask("any").test_request_context(scrape.PATH, headers=headers):
            assert scrape.answer(flask.request, world).status_code == 404


def test_two_tokens_are_known_while_one_is_changed(tmp_path: Path) -> None:
    (tmp_path / "metrics-token").write_text("new\n\n old \n")
    settings = load({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_SECRETS_DIR": str(tmp_path)})
    assert settings.metrics_tokens == (b"new", b"old")
