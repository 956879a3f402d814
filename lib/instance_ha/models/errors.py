"""Every error of ours; the docstring says what it means, the text given to it is for people.

::

    InstanceHAError
    ├── Refused                 the caller must ask differently: one HTTP 4xx each
    │   ├── BadRequest          400
    │   ├── Unauthorized        401
    │   ├── Forbidden           403
    │   ├── NotFound            404
    │   ├── MethodNotAllowed    405
    │   ├── NotAcceptable       406
    │   ├── Conflict            409
    │   ├── TooLarge            413
    │   └── BadMediaType        415
    ├── TryAgain                a passing trouble: nothing is lost, later it may work (503)
    │   ├── CloudUnavailable    Nova or Keystone did not answer, or answered 5xx or 429
    │   │   ├── CloudTimeout    no answer in time: what was asked may have happened
    │   │   └── ListIncomplete  a list of Nova contradicts what Nova says elsewhere
    │   ├── SourceUnavailable   a source of health did not answer, or only in part: nothing is known
    │   │   └── HostSilent      nothing at the address of a host accepts a connection
    │   ├── SinkUnavailable     a sink of events did not answer, or answered 5xx
    │   ├── ArchiveUnavailable  the bucket cannot be written to, or did not keep what was written
    │   ├── StoreUnavailable    Postgres did not answer
    │   └── FenceUnavailable    a way to fence a host did not answer: what was asked may have happened
    ├── FenceRefused            a way to fence a host cannot be used as it is set up: asking again changes nothing
    ├── SinkRefused             a sink will not have one event
    ├── CloudRefused            Nova answered 4xx, but for 401, 403, 408, 429: asking again changes nothing
    ├── RecoveryFailed          an attempt at a recovery came to its end without success
    │   └── NoFlowHelps         and every other flow would fail for the same reason
    ├── RecoveryDenied          an operator has denied the recovery: it ends
    ├── TimeIsUp                a task of others did not end within its time limit
    ├── LeaseLost               another invocation has the row now: stop, write nothing
    ├── AlreadyRunning          another recovery of the same host or instance is running
    └── Misconfigured           a setting is wrong; says which, and what to change
"""


class InstanceHAError(Exception):
    """The base of all."""


class Refused(InstanceHAError):
    """The request cannot be granted as it is."""

    code = 400


class BadRequest(Refused):
    """The request is not well formed, or names something that it must not."""


class Unauthorized(Refused):
    """There is no valid token."""

    code = 401


class Forbidden(Refused):
    """The caller's roles do not allow it."""

    code = 403


class NotFound(Refused):
    """There is no such thing."""

    code = 404


class MethodNotAllowed(Refused):
    """The resource has no such method; ``allowed`` are those that it has."""

    code = 405

    def __init__(self, method: str, *allowed: str) -> None:
        super().__init__(f"the method {method[:40]} is not allowed for this resource")
        self.allowed = allowed


class NotAcceptable(Refused):
    """The microversion is well formed but not served."""

    code = 406


class Conflict(Refused):
    """The request contradicts the present state."""

    code = 409


class TooLarge(Refused):
    """The body is larger than ``max_request_body_size``."""

    code = 413


class BadMediaType(Refused):
    """The body is not JSON."""

    code = 415


class TryAgain(InstanceHAError):
    """A passing trouble: the same request may work later."""


class CloudUnavailable(TryAgain):
    """Nova or Keystone cannot be reached, or has troubles of its own."""


class CloudTimeout(CloudUnavailable):
    """Nova did not answer in time; it may have done what was asked."""


class ListIncomplete(CloudUnavailable):
    """Nova's list of the servers on a host lacks some that are there; the text has both numbers."""


class SourceUnavailable(TryAgain):
    """A source of the health of hosts or guests did not answer, or only in part: nothing follows from that."""


class HostSilent(SourceUnavailable):
    """Nothing at the address of a host accepts a connection in time, or refuses one: so does a host that is off."""


class StoreUnavailable(TryAgain):
    """Postgres cannot be reached."""


class SinkUnavailable(TryAgain):
    """A sink of events cannot be reached, or is not available now."""


class ArchiveUnavailable(TryAgain):
    """The archive cannot be used; nothing is deleted without it."""


class FenceUnavailable(TryAgain):
    """What can cut a host's power did not answer, or has troubles of its own; it may have done what was asked."""


class FenceRefused(InstanceHAError):
    """What can cut a host's power does not know us or the host, or is not who it should be."""


class SinkRefused(InstanceHAError):
    """A sink answered that it will not have this event; it may take the next."""


class CloudRefused(InstanceHAError):
    """Nova answered with a 4xx.

    ``code`` is the HTTP status and the text is Nova's own.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} (HTTP {code})")
        self.code = code


class RecoveryFailed(InstanceHAError):
    """The attempt has failed; the text goes into the notification's message."""


class NoFlowHelps(RecoveryFailed):
    """The attempt has failed for a reason that every other flow would meet again."""


class RecoveryDenied(InstanceHAError):
    """An operator has denied the recovery; the text says who, and why."""


class TimeIsUp(InstanceHAError):
    """Something of others did not end within its time limit."""


class LeaseLost(InstanceHAError):
    """The row belongs to another invocation now."""


class AlreadyRunning(InstanceHAError):
    """Another recovery of the same host or instance is running."""


class Misconfigured(InstanceHAError):
    """The settings do not let us start; the text is one line that says what to change."""
