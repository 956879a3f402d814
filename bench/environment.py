"""What a function finds in its process: secrets, an event sink, a cloud; as local/runtime.py hands it over."""

import os
import secrets
from pathlib import Path

from instance_ha_simulator.files import write_secret

from local.runtime import without_cloud


def of_functions(folder: Path, database_url: str) -> dict[str, str]:
    """Return the environment of a function that runs by itself; no cloud listens, since nobody is asked for it."""
    from instance_ha_simulator.cloud.clock import RealClock
    from instance_ha_simulator.cloud.cloud import Cloud
    from instance_ha_simulator.cloud.clouds import clouds_yaml

    mounted = folder / "secrets"
    mounted.mkdir(mode=0o700, exist_ok=True)
    for name in ("trigger-key", "console-key"):
        write_secret(mounted / name, secrets.token_hex(32))
    write_secret(mounted / "database-url", database_url)
    clouds = folder / "clouds.yaml"
    write_secret(clouds, clouds_yaml(Cloud(RealClock()), "http://127.0.0.1:9"))
    return without_cloud(os.environ) | {
        "INSTANCE_HA_SECRETS_DIR": str(mounted),
        "INSTANCE_HA_TRIGGER_SINK": "http://127.0.0.1:9/async-function/{function}",
        "OS_CLIENT_CONFIG_FILE": str(clouds),
        "OS_CLOUD": "masakari",
        "THREADS": "32",
    }
