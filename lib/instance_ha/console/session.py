"""A person's session: all of it stands in one encrypted cookie, and nothing of it here."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Request, Response

from instance_ha.models.errors import Refused
from instance_ha.models.logins import IssuedToken
from instance_ha.settings import Settings

COOKIE = "instance-ha-console"
LOGIN_COOKIE = "instance-ha-console-login"  # of a browser before its login; a cookie of its own, since a link from
# elsewhere comes without the other one, and must not replace it
PATH = "/console"
_LARGEST = 3800  # bytes; browsers keep cookies of 4096 with name and attributes


@dataclass(frozen=True)
class Session:
    """What is remembered of a browser; times are seconds since 1970. Without a token nobody has logged in."""

    form_key: str = field(repr=False)  # each form carries it, so that no other site can send one
    used_at: int  # somebody has clicked then
    token: str = field(default="", repr=False)
    user: str = ""
    project: str = ""
    ends_at: int = 0

    @classmethod
    def anonymous(cls, now: datetime) -> Self:
        """Begin a session before its login."""
        return cls(secrets.token_urlsafe(16), int(now.timestamp()))

    @classmethod
    def of(cls, issued: IssuedToken, settings: Settings, now: datetime) -> Self:
        """Begin a session with its login; it ends with its token at the latest."""
        ends_at = min(issued.expires_at.astimezone(UTC), now + timedelta(seconds=settings.console_session_time))
        return replace(
            cls.anonymous(now),
            token=issued.token,
            user=issued.user,
            project=issued.project,
            ends_at=int(ends_at.timestamp()),
        )

    def is_over(self, settings: Settings, now: datetime) -> bool:
        """Say whether it has ended by itself."""
        seconds = now.timestamp()
        is_idle = seconds >= self.used_at + settings.console_idle_time
        return is_idle or (bool(self.token) and seconds >= self.ends_at)

    def used(self, now: datetime) -> Self:
        """Note that somebody has clicked."""
        return replace(self, used_at=int(now.timestamp()))


def read(request: Request, settings: Settings, now: datetime, cookie: str = COOKIE) -> Session | None:
    """Read the session of a request; None: there is none that still counts."""
    text = request.cookies.get(cookie, "")
    try:
        session = Session(**json.loads(_cipher(settings.console_keys).decrypt(text.encode())))
    except (InvalidToken, ValueError, TypeError):  # made up, of a key that is gone, or of another version of us
        return None
    return None if session.is_over(settings, now) else session


def keep(response: Response, session: Session, settings: Settings) -> None:
    """Give a session to the browser.

    Raises:
        Refused: its token is too long for a cookie.

    """
    text = _cipher(settings.console_keys).encrypt(json.dumps(asdict(session)).encode()).decode()
    if len(text) > _LARGEST:
        raise Refused("the token of this login is too long for a cookie: use one of Keystone's usual kinds (Fernet)")
    _set(response, COOKIE if session.token else LOGIN_COOKIE, text, settings)


def forget(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    _set(response, COOKIE, "", settings, max_age=0)


def _set(response: Response, cookie: str, text: str, settings: Settings, max_age: int | None = None) -> None:
    secure = not settings.console_over_http
    response.set_cookie(cookie, text, max_age, path=PATH, secure=secure, httponly=True, samesite="Strict")


def _cipher(keys: Sequence[bytes]) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(sha256(key).digest())) for key in keys])
