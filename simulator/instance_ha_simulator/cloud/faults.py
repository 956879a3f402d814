"""Trouble on request: rules that let requests fail, hang or break off."""

import re
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, ClassVar


class DroppedConnectionError(ConnectionError):
    """The service went away in the middle of a request."""


@dataclass
class Rule:
    """What happens to the requests whose method and path match (both are regular expressions), and the `action`.

    First `latency` passes; then the connection breaks (`drop`), or `status` and `body` are answered,
    or, without either, the request goes its usual way. `after=True` lets a request that is to break or
    to fail take effect first, as when only the answer is lost. A request that is `late` is answered by 504 at once
    and carried out so many seconds later, as by a proxy in front of a queue.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}  # where it is read from a file

    method: str = ".*"
    path: str = ".*"
    action: str | None = None  # of a server, by its name in the body
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    latency: float = 0.0
    drop: bool = False
    after: bool = False
    late: float = 0.0
    times: int | None = None
    hits: int = field(default=0, init=False)

    def matches(self, method: str, path: str, action: str | None) -> bool:
        """Tell whether the rule is for this request and not used up."""
        used_up = self.times is not None and self.hits >= self.times
        if used_up or self.action not in (None, action):
            return False
        return re.fullmatch(self.method, method) is not None and re.search(self.path, path) is not None


class Faults:
    """The rules in force; the first that matches counts."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.rules: list[Rule] = []

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force, after those there are."""
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """End all trouble."""
        with self._lock:
            self.rules.clear()

    def take(self, method: str, path: str, action: str | None = None) -> Rule | None:
        """Return the rule for this request, and count its use."""
        with self._lock:
            for rule in self.rules:
                if rule.matches(method, path, action):
                    rule.hits += 1
                    return rule
        return None
