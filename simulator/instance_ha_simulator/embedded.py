"""A Postgres of our own, with its data in a folder of ours, on the loopback interface.

A process that is killed in the middle leaves nothing that the next start cannot cope with: the data folder appears only
when it is complete, and a pid file counts only while a server with this data folder has that pid.
"""

import fcntl
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from instance_ha_simulator.binaries import PostgresError, Runner, major_version
from instance_ha_simulator.files import free_port, is_free, make_state_dir, write_secret

__all__ = ["EmbeddedPostgres", "PostgresError", "create_database", "drop_database"]

USER = "instance_ha"
_LIMIT = 60
_LONGEST_SOCKET = 90  # bytes of its folder: the kernel takes 107 with its name
_ATTEMPTS = 5  # after a kill -9 the old server's children hold its shared memory for a moment
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "shared_buffers=32MB",
    "max_connections=100",
    "max_logical_replication_workers=0",  # a process that we do not need
)
_UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # for tests: the data may be lost


class EmbeddedPostgres:
    """One server; safe to start from several processes, the first starts it and the others find it."""

    def __init__(self, state_dir: Path, port: int = 0, *, durable: bool = True) -> None:
        self._folder = state_dir.absolute()
        self._data = self._folder / "postgres"
        self._port_file = self._folder / "postgres-port"
        self._password_file = self._folder / "postgres-password"
        self._wanted_port = port
        self._durable = durable
        self._runner: Runner | None = None

    @property
    def dsn(self) -> str:
        """The URL of the database."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self._port_file.read_text().strip()}/{USER}"

    @property
    def socket(self) -> Path | None:
        """The folder of its socket, over which it answers sooner; None: its path is too long for one."""
        return self._data if len(str(self._data)) <= _LONGEST_SOCKET else None

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self._postmaster() is not None

    def start(self) -> str:
        """Start the server, or find it running; returns the URL of the database.

        Raises:
            PostgresError: it does not start; the text holds the end of its log.

        """
        make_state_dir(self._folder)
        with self._alone():
            if not self._data.exists():
                self._create()
            self._check_version()
            if (postmaster := self._postmaster()) is not None:
                self._remember_port(postmaster[1])
            else:
                self._start()
            self._create_database()
            return self.dsn

    def stop(self) -> None:
        """Stop the server, if it runs; its clients are disconnected."""
        if self.running:
            with self._alone():
                self._pg_ctl("stop", "-m", "fast")

    def restart(self) -> None:
        """Stop and start it, on the same port if that is still free."""
        self.stop()
        self.start()

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start or stop this server."""
        with (self._folder / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _control(self) -> Runner:
        if self._runner is None:
            self._runner = Runner.choose(self._folder)
        return self._runner

    def _postmaster(self) -> tuple[int, str] | None:
        """Return the pid and the port of the running server: a process with this data folder in its command."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            pid, port = int(lines[0]), lines[3]
            command = psutil.Process(pid).cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return (pid, port) if str(self._data) in command else None

    def _create(self) -> None:
        """Initialise the data folder beside its place, since initdb can be killed halfway."""
        runner, partly, handed = self._control(), self._folder / "postgres.new", self._folder / "postgres.initdb"
        for folder in (partly, handed):
            shutil.rmtree(folder, ignore_errors=True)
            runner.make_folder(folder)
        password = secrets.token_urlsafe(24)
        write_secret(self._password_file, password)
        write_secret(handed / "password", password)
        runner.own(handed / "password")
        made = runner.run(  # one iteration: nobody guesses this password, and thousands delay each connection
            "initdb", "-D", str(partly), "-U", USER, "--pwfile", str(handed / "password"), "--no-sync",
            "--auth=scram-sha-256", "--set=scram_iterations=1", "--encoding=UTF8", "--locale=C", cwd=handed,
        )  # fmt: skip
        shutil.rmtree(handed)
        if made.returncode != 0:
            shutil.rmtree(partly)
            raise PostgresError(f"initdb failed: {made.stderr.strip()}")
        partly.rename(self._data)

    def _check_version(self) -> None:
        file = self._data / "PG_VERSION"
        found = file.read_text().strip() if file.exists() else "nobody"
        if found != major_version():
            raise PostgresError(
                f"{self._data} was made by Postgres {found}, this one is {major_version()}: "
                f"remove the folder to begin anew, or give your own server as DATABASE_URL"
            )

    def _start(self) -> None:
        self._drop_foreign_pid_file()
        for left in reversed(range(_ATTEMPTS)):
            port = self._choose_port()
            own = f"port={port}", f"unix_socket_directories='{self.socket or ''}'"
            settings = (*_SETTINGS, *own, *(() if self._durable else _UNSAFE))
            try:
                self._pg_ctl(
                    "start", "-l", str(self._data / "server.log"), "-o", " ".join(f"-c {one}" for one in settings)
                )
            except PostgresError:
                if not left:
                    raise
                time.sleep(0.5)
            else:
                self._remember_port(str(port))
                return

    def _drop_foreign_pid_file(self) -> None:
        """Remove a pid file whose pid was given to another process: Postgres would take that for itself."""
        file = self._data / "postmaster.pid"
        try:
            pid = int(file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        if psutil.pid_exists(pid):
            file.unlink()

    def _choose_port(self) -> int:
        remembered = int(self._port_file.read_text() or 0) if self._port_file.exists() else 0
        return next((port for port in (self._wanted_port, remembered) if port and is_free(port)), 0) or free_port()

    def _remember_port(self, port: str) -> None:
        partly = self._port_file.with_suffix(".new")
        partly.write_text(port)
        partly.replace(self._port_file)  # others may read it at any time

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        log = self._data / "server.log"
        begin = log.stat().st_size if log.exists() else 0
        command = ("-D", str(self._data), "-w", "-t", str(_LIMIT), *arguments)
        done = self._control().run("pg_ctl", action, *command, cwd=self._data)
        if done.returncode != 0:
            said = log.read_bytes()[begin:].decode(errors="replace") if log.exists() else ""
            raise PostgresError(f"pg_ctl {action} failed: {(said or done.stderr).strip()[-600:]}")

    def _create_database(self) -> None:
        """Create our database, if it is not there; waits for a server that still recovers from a crash."""
        until = time.monotonic() + _LIMIT
        while True:
            try:
                with _admin(self.dsn) as connection:
                    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [USER]).fetchone() is None:
                        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(USER)))
                return
            except psycopg.OperationalError as error:
                if "authentication failed" in str(error) or time.monotonic() > until:
                    raise PostgresError(f"Postgres does not answer: {error}") from None
                time.sleep(0.1)


def create_database(dsn: str, name: str, template: str | None = None) -> str:
    """Create a database, as a copy of another if one is named; returns its URL."""
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with _admin(dsn) as connection:
        connection.execute(statement)
    return f"{dsn.rsplit('/', 1)[0]}/{name}"


def drop_database(dsn: str, name: str) -> None:
    """Drop a database, if it is there; its clients are disconnected."""
    with _admin(dsn) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _admin(dsn: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(f"{dsn.rsplit('/', 1)[0]}/postgres", autocommit=True, connect_timeout=5)
