"""Writes a story down as a scenario folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from instance_ha_simulator.replay.story import Story

_README = """\
Written by `instance-ha replay` from the rows of a real recovery, without any name. What the rows do not tell is as
usual: other instances and hosts, Nova's answers to single requests, evidence and fences, lost triggers,
customised flows, settings that are texts.
"""


def write(story: Story, folder: Path) -> None:
    """Write README.md, world.yaml and faults.yaml into a new folder.

    Raises:
        OSError: the folder cannot be made, or is there.

    """
    folder.mkdir(parents=True)
    (folder / "README.md").write_text(_README)
    (folder / "world.yaml").write_text(_yaml(story.world))
    if any(story.faults.values()):
        (folder / "faults.yaml").write_text(_yaml(story.faults))


def _yaml(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
