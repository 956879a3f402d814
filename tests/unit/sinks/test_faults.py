"""An error as others may read it."""

import pytest
from instance_ha.models.errors import Conflict, RecoveryFailed
from instance_ha.settings import load
from instance_ha.sinks.faults import fault
from instance_ha.store.database import Database
from sqlalchemy import text


def shown(error: BaseException) -> dict[str, str]:
    """Return the fields of a fault."""
    return dict(fault(error).model_dump()["masakari_object.data"])


def raised(error: Exception) -> Exception:
    """Raise it, and catch it."""
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_fault_names_class_message_module_and_function() -> None:
    payload = shown(raised(Conflict("the name is in use")))
    assert (payload["exception"], payload["exception_message"]) == ("Conflict", "the name is in use")
    assert (payload["module_name"].rpartition(".")[2], payload["function_name"]) == ("test_faults", "raised")
    assert payload["traceback"].endswith("Conflict: the name is in use")


def test_an_error_that_was_never_raised_has_its_class_and_message() -> None:
    payload = shown(RecoveryFailed("it did not move"))
    assert (payload["exception"], payload["exception_message"]) == ("RecoveryFailed", "it did not move")
    assert (payload["function_name"], payload["traceback"]) == ("unknown", "")


def test_what_is_secret_is_masked_in_message_and_traceback() -> None:
    payload = shown(raised(ValueError("cannot reach postgresql://ha:pa55word@db/ha")))
    assert "pa55word" not in payload["exception_message"] + payload["traceback"]
    assert "ha:***@db" in payload["exception_message"]


def test_the_secrets_of_the_settings_are_known() -> None:
    environ = {"DATABASE_URL": "postgresql://ha:s3cret@db/ha", "INSTANCE_HA_TRIGGER_KEY": "first\nsecond"}
    environ |= {"INSTANCE_HA_EVENT_SINKS": "a=http://host/t0ken"}
    words = {word for words in load(environ).secrets.values() for word in words}
    assert {"s3cret", "first", "second", "http://host/t0ken"} <= words


def test_an_error_of_the_database_does_not_show_the_parameters_of_its_statement(database: Database) -> None:
    with pytest.raises(Exception) as caught, database.begin() as connection:
        connection.execute(text("SELECT 1/0 WHERE :value = ''"), {"value": "-".join(["p4", "ss"])})
    payload = shown(caught.value)
    assert "division by zero" in payload["exception_message"]
    assert "p4-ss" not in payload["exception_message"] + payload["traceback"]


def test_a_long_text_is_cut() -> None:
    assert len(shown(raised(ValueError("x" * 100_000)))["exception_message"]) == 8192
