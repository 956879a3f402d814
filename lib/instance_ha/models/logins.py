"""How a person logs in, and the token that they get."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class PasswordLogin:
    """A user, by name, with a password; for one project."""

    user: str
    user_domain: str  # by name
    password: str = field(repr=False)
    project: str
    project_domain: str  # by name


@dataclass(frozen=True, kw_only=True)
class ApplicationCredential:
    """What a user has made to be logged in with; it says for which project."""

    id: str
    secret: str = field(repr=False)


Credentials = PasswordLogin | ApplicationCredential


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """A token of Keystone, and whom it is for."""

    token: str = field(repr=False)
    user: str  # names, to be shown
    project: str
    expires_at: datetime
