"""A browser for the tests of the console: it keeps cookies, reads forms, and follows where it is sent."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import requests

from tests.functions.conftest import Installation

_KEY = re.compile(r'name="form_key" value="([^"]+)"')


class Browser:
    """One person's."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **how: Any) -> requests.Response:
        """Ask for a page."""
        return self._send("GET", path, **how)

    def post(self, path: str, fields: dict[str, str], page: str | None = None, **how: Any) -> requests.Response:
        """Send a form, with the key that stands in a page."""
        key = {} if page is None else {"form_key": self.form_key(page)}
        return self._send("POST", path, data=key | fields, **how)

    def form_key(self, page: str) -> str:
        """Read the key that the forms of a page carry."""
        found = _KEY.search(self.get(page).text)
        assert found is not None
        return found[1]

    def log_in(self, user: str = "admin", but: Mapping[str, str] = MappingProxyType({})) -> requests.Response:
        """Log in by password; ``but`` are fields that are sent otherwise."""
        who = self._installation.cloud.identity.users[user]
        fields = {"user": user, "password": who.password, "project": who.project.name}
        domains = {"user_domain": "Default", "project_domain": "Default"}
        return self.post("/console/login", fields | domains | dict(but), "/console/login", allow_redirects=False)

    def _send(self, method: str, path: str, **how: Any) -> requests.Response:
        answer = self.session.request(method, f"{self._installation.url}{path}", timeout=30, **how)
        self._installation.traffic.append(f"{answer.headers} {answer.text}")
        return answer


def logged_in(installation: Installation, user: str = "admin") -> Browser:
    """Return the browser of a user who has logged in."""
    browser = Browser(installation)
    assert browser.log_in(user).status_code == 303
    return browser
