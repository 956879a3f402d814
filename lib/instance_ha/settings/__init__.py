"""All settings, typed, from the environment and from mounted secret files.

A setting ``verify_interval`` is read from ``INSTANCE_HA_VERIFY_INTERVAL``; names and meanings are those of
masakari.conf where it has them. An unknown ``INSTANCE_HA_*`` name is refused: a misspelt safety setting must not
pass silently. docs/configuration.md is generated from this package.
"""

from instance_ha.settings.every import LEASE_MARGIN, PARTS, SECRETS, Settings
from instance_ha.settings.load import load
from instance_ha.settings.part import PREFIX

__all__ = ["LEASE_MARGIN", "PARTS", "PREFIX", "SECRETS", "Settings", "load"]
