"""What the console answers before it can ask anybody."""

import pytest
from flask import Request
from instance_ha import composition
from instance_ha.console.site import Site
from instance_ha_simulator.files import free_port
from werkzeug.test import EnvironBuilder


@pytest.mark.parametrize("path", ["/console/login", "/console/", "/console/hosts"])
def test_while_postgres_is_away_a_page_says_so(path: str) -> None:
    environ = {"DATABASE_URL": f"postgresql://u:secret@127.0.0.1:{free_port()}/d", "INSTANCE_HA_CONSOLE_KEY": "k" * 32}
    answer = Site().answer(Request(EnvironBuilder(path).get_environ()), composition.of(environ).console(), "req-1")
    assert answer.status_code == 503
    text = answer.get_data(as_text=True)
    assert "Postgres does not answer" in text
    assert "Try again." in text
    assert "secret" not in text


def test_what_pages_are_made_with_needs_nobody() -> None:
    environ = {"DATABASE_URL": f"postgresql://u:secret@127.0.0.1:{free_port()}/d", "INSTANCE_HA_CONSOLE_KEY": "k" * 32}
    request = Request(EnvironBuilder("/console/static/style.css").get_environ())
    assert Site().answer(request, composition.of(environ).console(), "req-1").status_code == 200
