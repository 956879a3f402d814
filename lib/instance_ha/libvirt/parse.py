"""From libvirt's numbers and XML to our words. The numbers are part of its protocol; no library is needed for them."""

from xml.etree import ElementTree

from instance_ha.models.guests import Fault

_AGENT = "org.qemu.guest_agent.0"
_PAUSED, _SHUTOFF, _CRASHED = 3, 5, 6  # virDomainState
_FAULTS = {
    (_PAUSED, 5): Fault.IO_ERROR,  # VIR_DOMAIN_PAUSED_IOERROR
    (_PAUSED, 10): Fault.FAILED,  # VIR_DOMAIN_PAUSED_CRASHED
    (_SHUTOFF, 3): Fault.FAILED,  # VIR_DOMAIN_SHUTOFF_CRASHED
    (_SHUTOFF, 6): Fault.FAILED,  # VIR_DOMAIN_SHUTOFF_FAILED
}


def fault(state: int, reason: int) -> Fault | None:
    """Say what is wrong with a domain in such a state, for such a reason."""
    return Fault.FAILED if state == _CRASHED else _FAULTS.get((state, reason))


def has_agent(xml: str) -> bool:
    """Whether a domain has a channel for the guest agent, be it the first one or not."""
    root = ElementTree.fromstring(xml)  # noqa: S314 - the hypervisor's own, which escapes what tenants write into it
    return any(target.get("name") == _AGENT for target in root.iterfind("./devices/channel/target"))
