"""libvirt: what a host's hypervisor says of its domains, and the way to their guest agents."""
