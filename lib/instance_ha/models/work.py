"""Work that waits for a function: the kinds of internal events, and the row that one is about."""

from dataclasses import dataclass

SOURCE = "/masakari-functions"


@dataclass(frozen=True)
class Kind:
    """A kind of event; ``type`` is also what a Knative Trigger filters on."""

    type: str
    function: str


RECOVER_HOST = Kind("org.openstack.instanceha.recover-host", "recover-host")
RECOVER_INSTANCE = Kind("org.openstack.instanceha.recover-instance", "recover-instance")


@dataclass(frozen=True)
class Work:
    """Somebody must look at a row: ``subject`` is the uuid of a notification or of a vmove."""

    kind: Kind
    subject: str
    request_id: str | None = None
