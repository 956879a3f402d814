"""Logs people in: a token from the Keystone that the cloud's configuration names, for their own credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any

from keystoneauth1.exceptions import ClientException, HttpError
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from instance_ha import log
from instance_ha.http_limits import within
from instance_ha.keystone.budget import Budget
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.transport import mount
from instance_ha.models.errors import CloudTimeout, CloudUnavailable, TimeIsUp, TryAgain, Unauthorized
from instance_ha.models.logins import Credentials, IssuedToken, PasswordLogin
from instance_ha.settings import Settings


class KeystoneLogins:
    """Gets tokens for people, and gives them back."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self._settings = settings
        self._cloud = cloud
        self._budget = Budget(settings.console_refused_logins_per_minute)

    def log_in(self, credentials: Credentials) -> IssuedToken:
        """Get a token.

        Raises:
            Unauthorized: Keystone refuses; it is not said what of it was wrong.
            TryAgain: the user has not logged in before, and too many were refused lately.
            CloudUnavailable: Keystone cannot be asked.

        """
        name = credentials.user if isinstance(credentials, PasswordLogin) else credentials.id
        if not self._budget.allows(name):
            raise TryAgain("too many logins were refused within a minute: try again later")
        method, session = self._method(credentials), self._session()
        try:
            with self._limited():
                access = method.get_access(session)
        except HttpError as error:
            if error.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.http_status == 429:
                raise CloudUnavailable(f"Keystone cannot check the login (HTTP {error.http_status})") from error
            self._budget.refused()
            raise Unauthorized("the login is not valid") from None
        except ClientException as error:
            raise CloudUnavailable(f"Keystone cannot check the login: {error}") from error
        self._budget.accepted(name)
        return IssuedToken(
            token=access.auth_token,
            user=access.username,
            project=access.project_name or "",
            expires_at=access.expires,
        )

    def log_out(self, token: str) -> None:
        """Make a token bad; one that cannot be made so ends by itself."""
        url, headers = f"{self._url}/auth/tokens", {"X-Auth-Token": token, "X-Subject-Token": token}
        try:
            with self._limited():
                self._session().delete(url, headers=headers, authenticated=False)
        except (ClientException, CloudUnavailable) as error:
            log.get().warning("token not revoked", reason=str(error))

    @contextmanager
    def _limited(self) -> Iterator[None]:
        try:
            with within(self._settings.nova_timeout):
                yield
        except TimeIsUp:
            raise CloudTimeout("Keystone did not answer in time") from None

    @cached_property
    def _url(self) -> str:
        url = str(self._cloud.region.config["auth"]["auth_url"]).rstrip("/")
        return url if url.endswith("/v3") else f"{url}/v3"

    def _session(self) -> Any:
        """Make a session that keeps nothing of a person."""
        verify, certificate = self._cloud.region.get_requests_verify_args()
        session = Session(verify=verify, cert=certificate, timeout=self._settings.nova_timeout)
        mount(session)
        return session

    def _method(self, given: Credentials) -> Any:
        if isinstance(given, PasswordLogin):
            return v3.Password(
                self._url,
                username=given.user,
                user_domain_name=given.user_domain,
                password=given.password,
                project_name=given.project,
                project_domain_name=given.project_domain,
                include_catalog=False,
            )
        return v3.ApplicationCredential(
            self._url,
            application_credential_id=given.id,
            application_credential_secret=given.secret,
            include_catalog=False,
        )
