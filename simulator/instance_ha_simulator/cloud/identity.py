"""Users, projects and tokens of the simulated Keystone."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from instance_ha_simulator.cloud.clock import Clock
from instance_ha_simulator.cloud.errors import unauthorized


@dataclass(frozen=True)
class Project:
    """A project of the default domain."""

    name: str
    id: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True)
class User:
    """A user of the default domain, with roles in one project."""

    name: str
    project: Project
    roles: tuple[str, ...]
    id: str = field(default_factory=lambda: uuid4().hex)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)


@dataclass(frozen=True)
class ApplicationCredential:
    """What stands for a user in their project."""

    user: User
    id: str = field(default_factory=lambda: uuid4().hex)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)


@dataclass(frozen=True)
class Token:
    """A token; unscoped if it has no project."""

    id: str
    user: User
    project: Project | None
    issued_at: datetime
    expires_at: datetime
    audit_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    @property
    def is_admin(self) -> bool:
        """Whether it is scoped to a project where its user has the role admin."""
        return self.project is not None and "admin" in self.user.roles


class Identity:
    """The tables of Keystone. It is used with the cloud's lock held."""

    def __init__(self, clock: Clock, token_lifetime: float) -> None:
        self._clock = clock
        self._lifetime = timedelta(seconds=token_lifetime)
        self._tokens: dict[str, Token] = {}
        self._application_credentials: dict[str, ApplicationCredential] = {}
        self.role_ids: Mapping[str, str] = {name: uuid4().hex for name in _ROLES}
        self.users = {user.name: user for user in _users()}

    def login(self, name: str, password: str) -> User:
        """Return the user of this name or id, if the password is theirs."""
        for user in self.users.values():
            if name in (user.name, user.id) and secrets.compare_digest(password.encode(), user.password.encode()):
                return user
        raise unauthorized()

    def make_application_credential(self, user: str) -> ApplicationCredential:
        """Make an application credential for a user."""
        made = ApplicationCredential(self.users[user])
        self._application_credentials[made.id] = made
        return made

    def issue_by_application_credential(self, credential: str, secret: str) -> Token:
        """Make a token for an application credential, if the secret is its own."""
        known = self._application_credentials.get(credential)
        if known is None or not secrets.compare_digest(secret.encode(), known.secret.encode()):
            raise unauthorized()
        return self.issue(known.user, known.user.project.id)

    def issue(self, user: User, project: str | None, expires_at: datetime | None = None) -> Token:
        """Make a token, scoped to the project of that name or id if one is given."""
        if project is not None and project not in (user.project.name, user.project.id):
            raise unauthorized()
        now = self._clock.now()
        scope = None if project is None else user.project
        token = Token(secrets.token_urlsafe(32), user, scope, now, expires_at or now + self._lifetime)
        self._tokens[token.id] = token
        return token

    def find(self, token_id: str | None) -> Token | None:
        """Return a token that is still good."""
        token = self._tokens.get(token_id or "")
        return token if token is not None and self._clock.now() < token.expires_at else None

    def authenticate(self, token_id: str | None) -> Token:
        """Return a token that is still good, or answer 401."""
        token = self.find(token_id)
        if token is None:
            raise unauthorized()
        return token

    def tokens(self) -> set[str]:
        """Name all tokens."""
        return set(self._tokens)

    def revoke(self, token_id: str) -> None:
        """Make a token bad."""
        self._tokens.pop(token_id, None)

    def expire_all(self) -> None:
        """Make all tokens bad, as after an hour, or after Keystone lost its keys."""
        self._tokens.clear()


_ROLES = ("admin", "manager", "member", "reader", "instance_ha_operator")


def _users() -> list[User]:
    return [
        User("admin", Project("admin"), _ROLES),
        User("masakari", Project("service"), ("admin", "member", "reader")),
        User("demo", Project("demo"), ("member", "reader")),
    ]
