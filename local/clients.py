"""openstacksdk as a user of a cloud whose clouds.yaml we have."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openstack.connection import Connection


def connect(clouds_yaml: Path, user: str, **config: Any) -> "Connection":
    """Return the connection of a user of the file; ``config`` is as in the file, and goes before it."""
    from openstack.config import OpenStackConfig
    from openstack.connection import Connection

    clouds = OpenStackConfig(config_files=[str(clouds_yaml)], load_envvars=False)
    return Connection(config=clouds.get_one(user, **config))
