"""The import from a real MariaDB, a server of our own on the loopback interface, run by an unprivileged user."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from instance_ha import command
from instance_ha.store.database import Database
from instance_ha_simulator.files import free_port
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.unit.importing.old_masakari import WHEN, OldMasakari

pytest.importorskip("pymysql", reason="the extra `mysql` is not installed")
USER = "nobody"
PASSWORD = "s3cret"
LIMIT = 40


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server; returns the URL of its database, without the driver, as old masakari.conf files have it."""
    server, install = shutil.which("mariadbd", path="/usr/sbin:/usr/bin"), shutil.which("mariadb-install-db")
    if server is None or install is None or os.geteuid() != 0:
        pytest.skip("mariadb-server is not installed, or we are not root: tests/real/install.sh needs Debian and root")
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    shutil.chown(folder, USER)
    data, port = folder / "data", free_port()
    plain = ["--no-defaults", f"--datadir={data}"]
    subprocess.run(
        [install, *plain, "--auth-root-authentication-method=normal", "--skip-test-db", f"--user={USER}"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    (folder / "init.sql").write_text(
        f"CREATE DATABASE masakari CHARACTER SET utf8mb3;\nCREATE USER ha@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT ALL ON masakari.* TO ha@'%';\nCREATE USER reader@'%' IDENTIFIED BY '{PASSWORD}';\n"
        f"GRANT SELECT ON masakari.* TO reader@'%';\n"
    )
    listen = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder}/socket", f"--user={USER}"]
    lenient = ["--sql-mode=", "--skip-name-resolve"]  # old servers took days zero and unknown values of enumerations
    process = subprocess.Popen(
        [server, *plain, *listen, *lenient, f"--init-file={folder}/init.sql", f"--pid-file={folder}/pid"],
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"),
    )  # fmt: skip
    url = f"mysql://ha:{PASSWORD}@127.0.0.1:{port}/masakari?charset=utf8mb4"
    try:
        _wait(url.replace("mysql:", "mysql+pymysql:"), process, folder / "log")
        yield url
    finally:
        process.terminate()
        process.wait(LIMIT)
        shutil.rmtree(folder)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + LIMIT
    while True:
        try:
            with create_engine(url, poolclass=NullPool).connect():
                return
        except OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)


@pytest.fixture
def old(mariadb: str) -> OldMasakari:
    """Its tables, empty."""
    driver = mariadb.replace("mysql:", "mysql+pymysql:")
    found = OldMasakari(mariadb, driver)
    with create_engine(driver, poolclass=NullPool).begin() as connection:
        for table in ("vmoves", "notifications", "hosts", "failover_segments"):
            connection.execute(text(f"DELETE FROM {table}"))
    return found


def _import(address: str, database_url: str, capsys: pytest.CaptureFixture[str]) -> tuple[Any, str]:
    before = structlog.get_config()
    with pytest.raises(SystemExit) as ended:
        command.main(["import", "--from", address], {"DATABASE_URL": database_url})
    structlog.configure(**before)
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def test_a_real_mariadb_is_imported_by_a_user_that_may_only_read(
    old: OldMasakari,
    mariadb: str,
    database: Database,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    segment = old.segment(name="Regal-ü", enabled=True)
    gone = old.host(segment, name="compute1", deleted=1, deleted_at=WHEN)
    host = old.host(segment, name="compute1", reserved=True)
    notification = old.notification(source_host_uuid=host["uuid"], status="error")
    old.vmove(notification)
    reader = mariadb.replace("//ha:", "//reader:")
    code, said = _import(reader, database_url, capsys)
    assert code == 0, said
    with database.begin() as connection:
        hosts = {row.uuid: row for row in connection.execute(text("SELECT * FROM hosts"))}
        [notified] = connection.execute(text("SELECT * FROM notifications")).all()
        [named] = connection.execute(text("SELECT name, enabled FROM failover_segments")).all()
    assert tuple(named) == ("Regal-ü", True)
    assert (hosts[host["uuid"]].reserved, hosts[host["uuid"]].deleted_at) == (True, None)
    assert hosts[gone["uuid"]].deleted_at == hosts[gone["uuid"]].created_at
    assert (notified.status, notified.due_at, notified.payload["event"]) == ("failed", None, "STOPPED")
    assert _import(reader, database_url, capsys)[0] == 0


def test_unknown_enum_values_and_days_zero_do_not_stop_it(
    old: OldMasakari,
    mariadb: str,
    database: Database,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    segment, lost = old.segment(), old.segment()
    old.host(segment)
    notification = old.notification()
    with create_engine(mariadb.replace("mysql:", "mysql+pymysql:"), poolclass=NullPool).begin() as connection:
        where = {"uuid": lost["uuid"]}
        connection.execute(text("UPDATE failover_segments SET recovery_method = 'magic' WHERE uuid = :uuid"), where)
        connection.execute(text("UPDATE notifications SET status = 'odd', generated_time = '0000-00-00 00:00:00'"))
    code, said = _import(mariadb, database_url, capsys)
    assert code == 0, said
    assert "unknown recovery method" in said
    with database.begin() as connection:
        [row] = connection.execute(text("SELECT notification_uuid, status FROM notifications")).all()
    assert tuple(row) == (notification["notification_uuid"], "failed")


def test_a_wrong_password_is_told_without_it(
    mariadb: str, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _import(mariadb.replace(PASSWORD, "wr0ng"), database_url, capsys)
    assert (code, len(said.splitlines())) == (1, 1)
    assert "wr0ng" not in said
