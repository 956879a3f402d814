"""Trying a mutant: in a copy of the tree, with the tests that are named for it."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from mutants.catalogue import Mutant, mutate

_FAILED = re.compile(r"^FAILED (\S+::.+?)(?: - .*)?$", re.MULTILINE)
_PASSED, _SOME_FAILED = 0, 1  # exit codes of pytest
_LONGEST = 600  # seconds of one run
_SEED = re.compile(r"^seed (\d+): ([^;\n]+)", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, or of the tree as it is."""

    killed_by: str | None = None
    trouble: str | None = None  # the tests could not be run to their end: nobody has noticed anything then


class Copy:
    """A copy of the tree in which one file at a time is changed, and a process that runs tests in it."""

    def __init__(self, root: Path, folder: Path, database_url: str) -> None:
        self._folder = folder
        self._times = count(int(time.time()) + 1)  # of files that are changed, so that no compiled one is taken for new
        _copy(root, folder)
        path = os.pathsep.join(str(folder / one) for one in ("lib", "simulator", "."))
        environment = os.environ | {"PYTHONPATH": path, "TEST_DATABASE_URL": database_url}
        environment.pop("WRITE_EXPECTED", None)
        self._environment = environment
        command = [sys.executable, "-m", "mutants.runner"]
        self._runner = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        """End the process."""
        assert self._runner.stdin is not None
        self._runner.stdin.close()
        self._runner.wait()

    def try_out(self, mutant: Mutant, tests: Sequence[str]) -> Verdict:
        """Run tests with a mutant; without any named, all of them."""
        file = self._folder / mutant.file
        before = file.read_text()
        try:
            self._write(file, mutate(mutant, self._folder))
            return self.run(tests)
        finally:
            self._write(file, before)

    def explore(self, mutant: Mutant, schedules: int) -> tuple[int, str] | None:
        """Let the explorer play so many schedules; returns how many it took to notice a mutant, and what broke."""
        file = self._folder / mutant.file
        before = file.read_text()
        try:
            self._write(file, mutate(mutant, self._folder))
            return self.play(schedules, mutant.worlds)
        finally:
            self._write(file, before)

    def play(self, schedules: int, worlds: str | None = None) -> tuple[int, str] | None:
        """Let the explorer play what is in the copy now, in worlds of one kind if one is named."""
        command = [sys.executable, "-m", "instance_ha_simulator.explorer", "--schedules", str(schedules)]
        command += [] if worlds is None else ["--kind", worlds]
        ran = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        if ran.returncode == _PASSED:
            return None
        if (found := _SEED.search(ran.stdout)) is None:
            raise RuntimeError(ran.stderr[-2000:])
        return int(found[1]) + 1, found[2]

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text)
        at = next(self._times)
        os.utime(file, (at, at))

    def run(self, tests: Iterable[str]) -> Verdict:
        """Run tests on what is in the copy now."""
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write(json.dumps({"tests": list(tests), "seconds": _LONGEST}) + "\n")
        self._runner.stdin.flush()
        ran = json.loads(self._runner.stdout.readline())
        failed = _FAILED.search(ran["output"])
        if ran["code"] == _PASSED:
            return Verdict()
        if ran["code"] == _SOME_FAILED and failed is not None:
            return Verdict(killed_by=failed[1])
        return Verdict(trouble="\n".join(ran["output"].splitlines()[-15:]))


def _copy(root: Path, folder: Path) -> None:
    """Copy what git knows, and what it will when it is added."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
