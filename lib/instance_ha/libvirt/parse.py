"""From libvirt's numbers and XML to our words. The numbers are part of its protocol; no library is needed for them."""

from xml.etree import ElementTree

from instance_ha.models.guests import Channel, Fault

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


def agent_channel(xml: str) -> Channel:
    """Find a domain's channel for the guest agent, and whether the guest holds it open.

    QEMU tells libvirt when the guest opens and closes it. A guest that shuts down, reboots or restarts its agent closes
    it; a guest that hangs leaves it open.
    """
    root = ElementTree.fromstring(xml)  # noqa: S314 - the hypervisor's own, which escapes what tenants write into it
    target = next((t for t in root.iterfind("./devices/channel/target") if t.get("name") == _AGENT), None)
    if target is None:
        return Channel.NONE
    return Channel.CLOSED if target.get("state") == "disconnected" else Channel.OPEN
