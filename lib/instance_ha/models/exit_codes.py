"""How commands end, those of ``instance-ha`` and of ``openstack ha`` alike (docs/openstack.md)."""

NEEDS_ATTENTION = 3  # all was shown, and some of it is bad or not known
