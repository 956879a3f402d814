"""Writes docs/configuration.md from the typed settings; ``--check`` fails when what is committed differs."""

import sys
from pathlib import Path

from instance_ha.settings import PREFIX, Settings
from pydantic_core import PydanticUndefined

from local.files import repository

_HEAD = """# Configuration

<!-- Written by `make docs` from lib/instance_ha/settings.py: change it there. -->

Every function reads its settings when it starts, from its environment and from secret files. A wrong value and an
unknown `INSTANCE_HA_*` name stop the start with one line that says what to change. Names and meanings are those of
masakari.conf where it has them.

The cloud is configured as for every OpenStack client: `OS_CLOUD` with a clouds.yaml (`OS_CLIENT_CONFIG_FILE` says
where), or `OS_AUTH_URL` and the other `OS_*` variables. Its user needs the role admin; callers' tokens are checked with
the same Keystone.

| setting | default | meaning |
| --- | --- | --- |
"""


def configuration() -> str:
    """Return the text of docs/configuration.md."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "**required**" if field.default is PydanticUndefined else f"`{field.default}`"
        default = "" if field.default is None else default
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return _HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Write, or check, the file."""
    path: Path = repository() / "docs" / "configuration.md"
    if "--check" in sys.argv:
        if not path.exists() or path.read_text() != configuration():
            print("docs/configuration.md is not what the settings say: run make docs", file=sys.stderr)
            return 1
        return 0
    path.write_text(configuration())
    return 0


if __name__ == "__main__":
    sys.exit(main())
