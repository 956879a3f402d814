"""Writes the documents that are made from code; ``--check`` fails when what is committed differs."""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from instance_ha.api import openapi
from instance_ha.fencing.file import FencingFile
from instance_ha.settings import PARTS, PREFIX
from instance_ha.settings.part import Part
from instance_ha.sinks import schema as events
from oslo_policy import generator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from local import metrics_document, scenario_document
from local.files import repository

_HEAD = """# Configuration

<!-- Written by `make docs` from lib/instance_ha/settings/: change it there. -->

Every function reads its settings when it starts, from its environment and from [secret files](security.md#secrets).
It does not start with a wrong value or an unknown `INSTANCE_HA_*` name; one line says what to change. Where
masakari.conf has the setting, name and meaning are the same. `instance-ha check-config` checks all settings, and
asks each service that they name.

Configure the cloud as for every OpenStack client: `OS_CLOUD` with a clouds.yaml (`OS_CLIENT_CONFIG_FILE` says
where), or `OS_AUTH_URL` and the other `OS_*` variables. Its user needs the role admin
([the service user](security.md#the-service-user)). The same Keystone checks callers' tokens.
"""
_COLUMNS = "| setting | default | meaning |\n| --- | --- | --- |"


def configuration() -> str:
    """Return a table of all settings, section by section."""
    return "\n".join([_HEAD, *(line for heading, part in PARTS.items() for line in _section(heading, part))])


def _section(heading: str, part: type[Part]) -> list[str]:
    rows = (_row(name, field) for name, field in part.model_fields.items())
    return [f"## {heading}\n", f"{part.__doc__}\n", _COLUMNS, *rows, ""]


def _row(name: str, field: FieldInfo) -> str:
    default = "**required**" if field.default is PydanticUndefined else f"`{field.default}`"
    default = "" if field.default is None else default
    return f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |"


def api() -> str:
    """Return the OpenAPI document, as ``/openapi.json`` answers it."""
    return json.dumps(openapi.document(), indent=1) + "\n"


def event_schema() -> str:
    """Return the JSON schema of events."""
    return json.dumps(events.document(), indent=1) + "\n"


def fencing_schema() -> str:
    """Return the JSON schema of fencing.yaml."""
    return json.dumps(FencingFile.model_json_schema(), indent=1) + "\n"


def policy() -> str:
    """Return a policy file that names every rule with its default."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        generator.generate_sample(["--namespace", "instance-ha", "--output-file", file.name])
        return Path(file.name).read_text()


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "events.schema.json": event_schema,
    "fencing.schema.json": fencing_schema,
    "metrics.md": metrics_document.document,
    "openapi.json": api,
    "policy.yaml.sample": policy,
    "scenario-folders.md": scenario_document.document,
}


def main() -> int:
    """Write, or check, the files."""
    wrong = 0
    for name, make in DOCUMENTS.items():
        path, text = repository() / "docs" / name, make()
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"docs/{name} is not what the code says: run make docs", file=sys.stderr)
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
