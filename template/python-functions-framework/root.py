"""Lays out the root of an image: Python, the libraries that it loads, certificates, and what named packages bring.

``python3 root.py TARGET [PACKAGE ...]``, as root on Debian. Nothing else of the base image comes along: no shell, no
package manager, no tests, and no documentation but the licences.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_STDLIB = Path(os.__file__).parent
_NOT_OF_STDLIB = (
    "dist-packages", "site-packages", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "tkinter",
    "turtledemo", "config-*", "__pycache__",
)  # fmt: skip
_GRANTED = (  # what every wheel for Linux may take for granted (manylinux)
    "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "libresolv.so.2", "librt.so.1", "libstdc++.so.6",
    "libutil.so.1",
)  # fmt: skip
_FILES = (
    "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/services", "/etc/protocols",
    "/etc/os-release", "/etc/debian_version", "/etc/ld.so.cache", "/etc/ssl", "/usr/lib/ssl",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/usr/share/zoneinfo",
)  # fmt: skip
_FOLDERS = ("dev", "etc", "home", "opt", "proc", "run", "sys", "tmp", "usr/bin", "var/lib/dpkg")
_LINKED = ("bin", "sbin", "lib", "lib64")  # into /usr, on Debian
_DOCUMENTATION = re.compile("/usr/share/(doc|info|lintian|locale|man)/(?!.*/copyright$)")
_DPKG = Path("/var/lib/dpkg")


def main(target: Path, packages: list[str]) -> None:
    """Lay it out."""
    for name in _FOLDERS:
        (target / name).mkdir(parents=True)
    (target / "tmp").chmod(0o1777)
    for name in _LINKED:
        if os.path.islink(f"/{name}"):
            (target / name).symlink_to(os.readlink(f"/{name}"))
    root = Root(target)
    for path in (sys.executable, str(_STDLIB), *_FILES, *_libraries(_GRANTED), *_brought_by(packages)):
        root.take(Path(path))
    root.take_libraries()
    root.take_descriptions()


def _libraries(names: Iterable[str]) -> list[str]:
    known = dict(re.findall(r"^\s+(\S+) .*=> (\S+)$", _said("ldconfig", "-p"), re.MULTILINE))
    return [known[name] for name in names if name in known]


def _brought_by(packages: list[str]) -> Iterator[str]:
    """Install packages; gives the files of them, and of all that they need and that was not there."""
    if not packages:
        return
    before = _installed()
    apt = ("apt-get", "-q", "-y", "--no-install-recommends", "install", *packages)
    subprocess.run(["apt-get", "-q", "update"], check=True)
    subprocess.run(apt, check=True)
    for package in sorted({*packages, *(_installed() - before)}):
        yield from (path for path in _said("dpkg", "-L", package).splitlines() if not os.path.isdir(path))


def _installed() -> set[str]:
    return set(_said("dpkg-query", "-W", "-f", "${Package}\n").split())


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Root:
    """What is taken of the machine that builds."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._taken: set[str] = set()  # files and links, by the paths that they have without links of folders

    def take(self, path: Path) -> None:
        """Take a file, all of a folder, or a link with what it leads to; what is not there is left out."""
        path = Path(os.path.realpath(path.parent), path.name)
        if str(path) in self._taken or _DOCUMENTATION.match(str(path)) or not os.path.lexists(path):
            return
        copy = self._target / path.relative_to("/")
        if path.is_dir() and not path.is_symlink():
            for name in set(os.listdir(path)) - _left_out(path):
                self.take(path / name)
            return
        copy.parent.mkdir(parents=True, exist_ok=True)
        self._taken.add(str(path))
        shutil.copy2(path, copy, follow_symlinks=False)
        if path.is_symlink():
            self.take(Path(path.parent, os.readlink(path)))

    def take_libraries(self) -> None:
        """Take what programs and libraries that were taken are linked with."""
        files = [file for file in self._taken if _is_elf(file)]
        linked = subprocess.run(["ldd", *files], capture_output=True, text=True).stdout  # complains of static ones
        for library in sorted(set(re.findall(r"(/\S+) \(0x", linked))):
            self.take(Path(library))

    def take_descriptions(self) -> None:
        """Take what Debian says of the packages that something was taken of: scanners read it, and licences are due."""
        stanzas = []
        for stanza in (_DPKG / "status").read_text().split("\n\n"):
            package = re.match("Package: (.+)", stanza)
            if package and any(file in self._taken for file in _files_of(package[1])):
                stanzas.append(stanza.strip())
                self.take(Path("/usr/share/doc", package[1], "copyright"))
        (self._target / _DPKG.relative_to("/") / "status").write_text("\n\n".join([*stanzas, ""]))


def _files_of(package: str) -> Iterator[str]:
    for known in (*_DPKG.glob(f"info/{package}.list"), *_DPKG.glob(f"info/{package}:*.list")):
        for file in known.read_text().splitlines():
            yield os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))


def _left_out(folder: Path) -> set[str]:
    if not folder.is_relative_to(_STDLIB):
        return set()
    return {path.name for pattern in _NOT_OF_STDLIB for path in folder.glob(pattern)}


def _is_elf(path: str) -> bool:
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
