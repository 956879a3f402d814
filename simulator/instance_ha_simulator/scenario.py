"""A scenario folder: README.md (the promise), world.yaml, faults.yaml, and the decision log that it must give."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from instance_ha_simulator.folder.read import read


@dataclass
class Scenario:
    """What a folder says."""

    folder: Path
    world: dict[str, Any]
    faults: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Scenario":
        """Read a folder.

        Raises:
            FolderError: the folder cannot be used.

        """
        return cls(folder, *read(folder))

    def in_order(self, seed: int | None) -> "Scenario":
        """Have what happens at about the same time in the random order of a seed; None: as the folder says."""
        if seed is None:
            return self
        schedule = {"pauses": 0.1, "jitter": 1.0} | self.faults.get("schedule", {}) | {"seed": seed}
        return replace(self, faults=self.faults | {"schedule": schedule})
