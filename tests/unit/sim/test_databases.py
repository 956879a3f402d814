import psycopg
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.postgres import Postgres


def test_a_database_that_is_as_it_was_is_lent_again_though_its_user_has_left_a_connection(postgres: Postgres) -> None:
    databases = Databases(postgres)
    with databases.fresh() as url:
        left = psycopg.connect(url, autocommit=True)
        left.execute("INSERT INTO counters (name, labels, value, updated_at) VALUES ('a', '{}', 1, now())")
    with databases.fresh() as again, psycopg.connect(again) as connection:
        assert again == url
        assert connection.execute("SELECT count(*) FROM counters").fetchall() == [(0,)]
    left.close()


def test_a_database_in_which_somebody_has_an_open_transaction_is_not_lent_again(postgres: Postgres) -> None:
    databases = Databases(postgres)
    with databases.fresh() as url:
        working = psycopg.connect(url)
        working.execute("SELECT 1")
    with databases.fresh() as another:
        assert another != url
    working.close()


def test_a_database_whose_schema_was_changed_is_not_lent_again(postgres: Postgres) -> None:
    databases = Databases(postgres)
    with databases.fresh() as url, psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE counters ADD COLUMN own text")
    with databases.fresh() as another:
        assert another != url
