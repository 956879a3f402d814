"""What a function loads from its start to its first answers, in a process of its own."""

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
_ENVIRON = {
    "DATABASE_URL": "postgresql://db/ha",
    "OS_CLOUD": "prod",
    "PYTHONPATH": str(ROOT / "lib"),
    "INSTANCE_HA_TRIGGER_SINK": "http://sink",
    "INSTANCE_HA_TRIGGER_KEY": "a-key-of-twenty-signs",
    "INSTANCE_HA_CONSOLE_KEY": "another-key-of-24-signs",
    "INSTANCE_HA_MONITORING_DRIVER": "consul",
    "INSTANCE_HA_CONSUL_AGENT_MANAGE": "10.0.0.1",
    "INSTANCE_HA_LOG_LEVEL": "ERROR",
}
_SERVE = """
import os, sys
from pathlib import Path
from instance_ha.serving import server
from instance_ha.serving.application import load
client = load(Path({folder!r}), os.environ).test_client()
assert client.get("/_/health").status_code == 200
code = client.get("/").status_code
assert code < 500 or code == 503, code
print(*sorted({{name if name.startswith("instance_ha.") else name.split(".")[0] for name in sys.modules}}))
"""


@cache
def loaded(function: str) -> frozenset[str]:
    """Name the packages, and the modules of ours."""
    command = [sys.executable, "-c", _SERVE.format(folder=str(ROOT / "functions" / function))]
    done = subprocess.run(command, env=_ENVIRON, capture_output=True, text=True, check=True)
    return frozenset(done.stdout.split())
