"""The callers' tokens, checked by keystonemiddleware, whose cache keeps Keystone from being asked each time."""

import logging
import math
import re
from functools import cached_property
from http import HTTPStatus
from io import BytesIO
from typing import Any

from keystoneauth1.exceptions import ClientException

from instance_ha.http_limits import within
from instance_ha.keystone.budget import Budget, LatestTokens
from instance_ha.keystone.cloud import Cloud
from instance_ha.keystone.transport import mount
from instance_ha.models.errors import CloudTimeout, CloudUnavailable, TimeIsUp, TryAgain, Unauthorized
from instance_ha.models.rows import Caller
from instance_ha.settings import Settings

_TOKEN = re.compile(r"[!-~]{1,8192}")  # what Keystone issues, and what a header can hold


class Tokens:
    """Checks the ``X-Auth-Token`` of requests."""

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        self._settings = settings
        self._cloud = cloud
        self._budget = Budget(settings.refused_tokens_per_minute)
        self._ended = LatestTokens()

    @cached_property
    def _middleware(self) -> Any:
        from keystonemiddleware.auth_token import AuthProtocol

        class Middleware(AuthProtocol):  # type: ignore[misc]  # it has no types
            def _create_session(self, **given: Any) -> Any:
                session = super()._create_session(**given)
                mount(session)
                return session

            def forget(self, token: str) -> None:
                self._token_cache.initialize({})
                self._token_cache.set(token, None)

        # It warns of each option that is not its own (the user's, that it hands on), and of a cache without memcached.
        logging.getLogger("keystonemiddleware").setLevel(logging.ERROR)
        config = self._cloud.region.config
        verify, certificate = self._cloud.region.get_requests_verify_args()
        given = {
            "auth_type": config.get("auth_type") or "password",
            "www_authenticate_uri": str(config["auth"]["auth_url"]),
            "token_cache_time": str(self._settings.token_cache_time),
            "service_token_roles_required": "true",
            "http_connect_timeout": str(math.ceil(self._settings.nova_timeout)),
            "interface": self._settings.os_interface,
            "region_name": config.get("region_name"),
            "include_service_catalog": "false",
            "memcached_servers": self._settings.memcached_servers,
            "insecure": str(not verify).lower(),
            "cafile": verify if isinstance(verify, str) else None,
            "certfile": certificate[0] if certificate else None,
            "keyfile": certificate[1] if certificate else None,
            **config["auth"],
        }
        return Middleware(_accept, {key: value for key, value in given.items() if value})

    def check(self, environ: dict[str, Any]) -> Caller:
        """Return the owner of the token of a WSGI request.

        Raises:
            Unauthorized: there is none, or it is not valid.
            TryAgain: it is not known, and too many were refused lately.
            CloudUnavailable: Keystone cannot be asked.

        """
        from webob import Request

        token = environ.get("HTTP_X_AUTH_TOKEN")
        if not token:
            raise Unauthorized("the request has no X-Auth-Token")
        if not _TOKEN.fullmatch(token) or token in self._ended:
            raise Unauthorized("the token is not valid")
        if not self._budget.allows(token):
            raise TryAgain("too many tokens were refused within a minute: only those accepted before are taken")
        checked = {**environ, "wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"}
        middleware = self._middleware  # its import is no time of Keystone's
        try:
            with within(self._settings.nova_timeout):
                answer = Request(checked).get_response(middleware)
        except TimeIsUp:
            raise CloudTimeout("Keystone did not answer in time") from None
        except ClientException as error:
            raise CloudUnavailable(f"Keystone cannot check the token: {error}") from error
        if answer.status_int == HTTPStatus.UNAUTHORIZED:
            self._budget.refused()
            raise Unauthorized("the token is not valid")
        if answer.status_int != HTTPStatus.NO_CONTENT:
            raise CloudUnavailable(f"Keystone cannot check the token (HTTP {answer.status_int})")
        self._budget.accepted(token)
        return _caller(checked)

    def forget(self, token: str) -> None:
        """Take a token for ended from now on, in all instances that share their checked tokens by memcached."""
        self._ended.add(token)
        if self._settings.memcached_servers:
            self._middleware.forget(token)


def _accept(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Stand behind the middleware: what comes here has a valid token."""
    start_response("204 No Content", [])
    return []


def _caller(environ: dict[str, Any]) -> Caller:
    user = environ.get("HTTP_X_USER_ID")
    if not user:
        raise Unauthorized("the token names no user")
    roles = (environ.get("HTTP_X_ROLES") or "").split(",")
    return Caller(
        user,
        environ.get("HTTP_X_PROJECT_ID") or None,
        frozenset(role.strip() for role in roles if role),
        environ.get("HTTP_X_USER_NAME") or None,
    )
