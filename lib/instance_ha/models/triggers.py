"""What triggers a function: the kinds of internal events, and the row that an event is about."""

from dataclasses import dataclass

from instance_ha.models.enums import NotificationType

SOURCE = "/masakari-functions"
TASK = "org.openstack.instanceha.task"  # type of the event that asks a task of others
FENCE = "org.openstack.instanceha.fence"  # type of the event that asks a fence of others


@dataclass(frozen=True)
class Kind:
    """A kind of event; ``type`` is also what a Knative Trigger filters on."""

    type: str
    function: str


RECOVER_HOST = Kind("org.openstack.instanceha.recover-host", "recover-host")  # about a notification
RECOVER_INSTANCE = Kind("org.openstack.instanceha.recover-instance", "recover-instance")  # about a notification
EVACUATE_INSTANCE = Kind("org.openstack.instanceha.evacuate-instance", "recover-instance")  # about a vmove
RETURN_HOST = Kind("org.openstack.instanceha.return-host", "recover-host")  # about the return of a host


def recovery_of(failure: str) -> Kind:
    """Return the kind of event that starts the recovery of a reported failure, by the notification's type."""
    return RECOVER_INSTANCE if failure == NotificationType.VM else RECOVER_HOST


@dataclass(frozen=True)
class RemoteAnswer:
    """What a task that is a URL says of itself: ``done``, ``failed`` or ``running``."""

    state: str
    message: str = ""


@dataclass(frozen=True)
class Trigger:
    """A row has work to do: ``subject`` is the uuid of a notification, a vmove or a return."""

    kind: Kind
    subject: str
    request_id: str | None = None
