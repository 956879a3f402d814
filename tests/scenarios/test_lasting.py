"""The database that plays use one after the other."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.lasting import clear
from sqlalchemy import text
from sqlalchemy.exc import InternalError

_CHANGE = text("SELECT nextval(pg_get_serial_sequence('hosts', 'id'))")
_COUNT = text("SELECT count(*) FROM throttle")
_WRITE = text("INSERT INTO throttle (name, share, changed_at) VALUES ('any', 1, now())")
_PREPARED = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT name FROM hosts%'")


@pytest.mark.parametrize("one_moment", [False, True])
def test_what_reads_cannot_write(stage: Stage, one_moment: bool) -> None:
    with pytest.raises(InternalError, match="read-only"), stage.database.read(one_moment=one_moment) as connection:
        connection.execute(_CHANGE)


def write(stage: Stage) -> None:
    with stage.database.begin() as connection:
        connection.execute(_WRITE)


def test_who_has_a_connection_is_lent_no_second_one(stage: Stage) -> None:
    with (
        stage.database.read(),
        pytest.raises(AssertionError, match="second connection"),
        stage.database.begin(),
    ):
        pass


def test_what_is_read_at_one_moment_shows_no_later_commit(stage: Stage) -> None:
    with stage.database.read(one_moment=True) as reading:
        assert reading.execute(_COUNT).scalar_one() == 0
        with ThreadPoolExecutor(1) as other:
            other.submit(write, stage).result()
        assert reading.execute(_COUNT).scalar_one() == 0
    with stage.database.read() as later:
        assert later.execute(_COUNT).scalar_one() == 1


def test_an_emptied_database_still_knows_its_statements(stage: Stage) -> None:
    with stage.database.begin() as connection:
        connection.execute(text("SELECT name FROM hosts"))
    clear(stage)
    with stage.database.begin() as connection:
        assert connection.execute(_PREPARED).scalar_one() == 1
