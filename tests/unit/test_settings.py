from pathlib import Path

import pytest
from instance_ha.decide.slots import LONGEST_PAUSE
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings, load

URL = "postgresql://ha:s3cret@db/ha"
_NUMERIC = (int, float, int | None, float | None)


def _refusal(**environ: str) -> str:
    with pytest.raises(Misconfigured) as raised:
        load({"DATABASE_URL": URL} | environ)
    text = str(raised.value)
    assert "\n" not in text
    assert "s3cret" not in text
    return text


def test_the_defaults_are_those_of_masakari() -> None:
    settings = load({"DATABASE_URL": URL})
    assert (
        settings.wait_period_after_service_update,
        settings.wait_period_after_evacuation,
        settings.duplicate_notification_detection_interval,
    ) == (180, 90, 180)
    assert (settings.evacuate_all_instances, settings.ha_enabled_instance_metadata_key) == (True, "HA_Enabled")


def test_a_setting_is_read_from_the_environment_by_its_name() -> None:
    assert load({"DATABASE_URL": URL, "INSTANCE_HA_VERIFY_INTERVAL": "3.5"}).verify_interval == 3.5


def test_an_unknown_setting_is_refused_and_named() -> None:
    assert "INSTANCE_HA_FORCE_DWON" in _refusal(INSTANCE_HA_FORCE_DWON="s3cret")


def test_a_missing_database_is_told_with_both_places_it_may_stand() -> None:
    with pytest.raises(Misconfigured) as raised:
        load({})
    assert str(raised.value) == "missing setting: set DATABASE_URL or the secret file database-url"


@pytest.mark.parametrize(
    "environ",
    [
        {"INSTANCE_HA_TRIGGER_TIMEOUT": "15"},
        {"INSTANCE_HA_VERIFY_INTERVAL": "15"},
        {"INSTANCE_HA_EVENT_TIMEOUT": "30"},
        {"INSTANCE_HA_BATCH_LEASE_TIME": "30", "INSTANCE_HA_ARCHIVE_BUCKET": "history"},
    ],
)
def test_a_lease_that_could_end_during_a_request_made_under_it_is_refused(environ: dict[str, str]) -> None:
    assert "LEASE_TIME" in _refusal(**environ)


def test_a_lease_outlasts_the_longest_pause_between_two_questions() -> None:
    assert _refusal(INSTANCE_HA_LEASE_TIME=str(LONGEST_PAUSE)).startswith("INSTANCE_HA_LEASE_TIME: ")


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, 18),
        ({"LEASE_TIME": "30"}, 33),
        ({"NOVA_TIMEOUT": "30"}, 35),
        ({"SWEEP_TIME": "50"}, 25),
    ],
)
def test_an_interrupted_recovery_goes_on_when_its_lease_has_ended_and_sweep_has_looked(
    values: dict[str, str], seconds: float
) -> None:
    changed = {f"INSTANCE_HA_{name}": value for name, value in values.items()}
    assert load({"DATABASE_URL": "postgresql://u@h/d"} | changed).idle_after_crash == seconds


@pytest.mark.parametrize(
    "environ",
    [
        {"INSTANCE_HA_NOVA_LATE_REQUEST_LIMIT": "12"},
        {"INSTANCE_HA_NOVA_TIMEOUT": "120"},
        {"INSTANCE_HA_EVACUATION_GIVE_UP_AFTER": "120"},
    ],
)
def test_a_second_request_while_the_first_is_under_way_or_after_it_was_given_up_is_refused(
    environ: dict[str, str],
) -> None:
    assert "INSTANCE_HA_NOVA_LATE_REQUEST_LIMIT" in _refusal(**environ)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTANCE_HA_VERIFY_INTERVAL", "s3cret"),
        ("INSTANCE_HA_VERIFY_INTERVAL", "0"),
        ("INSTANCE_HA_VERIFY_INTERVAL", "nan"),
        ("INSTANCE_HA_DATABASE_POOL_SIZE", "0"),
        ("INSTANCE_HA_DATABASE_POOL_SIZE", "s3cret"),
        ("INSTANCE_HA_FORCE_DOWN", "s3cret"),
        ("INSTANCE_HA_LOG_LEVEL", "s3cret"),
        ("INSTANCE_HA_OS_INTERFACE", "s3cret"),
        ("INSTANCE_HA_NOVA_PAGE_SIZE", "1001"),
        ("INSTANCE_HA_LEASE_TIME", "5"),
    ],
)
def test_a_wrong_value_is_refused_with_the_settings_name_and_without_the_value(name: str, value: str) -> None:
    assert _refusal(**{name: value}).startswith(f"{name}: ")


def test_an_infinite_time_is_refused() -> None:
    assert "INSTANCE_HA_LEASE_TIME" in _refusal(INSTANCE_HA_LEASE_TIME="inf")


_NUMBERS = [name.upper() for name, about in Settings.model_fields.items() if about.annotation in _NUMERIC]


@pytest.mark.parametrize("name", _NUMBERS)
def test_every_number_has_an_upper_bound(name: str) -> None:
    assert _refusal(**{f"INSTANCE_HA_{name}": f"{10**30}"}).startswith(f"INSTANCE_HA_{name}: ")


@pytest.mark.parametrize("url", ["mysql://ha:s3cret@db/ha", "s3cret", "postgresql:ha:s3cret@db"])
def test_a_database_url_of_another_kind_is_refused_without_showing_it(url: str) -> None:
    assert "DATABASE_URL" in _refusal(DATABASE_URL=url)


def test_a_database_url_that_cannot_be_parsed_is_refused_without_showing_it() -> None:
    assert "DATABASE_URL" in _refusal(DATABASE_URL="postgresql://ha:s3cret@db:port/ha")


def test_a_trigger_sink_that_is_no_url_is_refused() -> None:
    assert "INSTANCE_HA_TRIGGER_SINK" in _refusal(INSTANCE_HA_TRIGGER_SINK="broker:s3cret")


def test_both_spellings_of_the_postgres_scheme_are_accepted() -> None:
    url = "postgres://ha:s3cret@db/ha"
    assert url == load({"DATABASE_URL": url}).database_url.get_secret_value()


def test_the_sink_of_a_knative_binding_is_where_triggers_go() -> None:
    assert load({"DATABASE_URL": URL, "K_SINK": "http://broker"}).trigger_sink == "http://broker"


def test_a_settings_own_name_comes_before_its_aliases() -> None:
    own = "postgresql://own/ha"
    settings = load({"DATABASE_URL": URL, "INSTANCE_HA_DATABASE_URL": own})
    assert own == settings.database_url.get_secret_value()


def test_secrets_are_read_from_mounted_files(tmp_path: Path) -> None:
    (tmp_path / "database-url").write_text(f"{URL}\n")
    (tmp_path / "trigger-key").write_text("first\n\n second \n")
    settings = load({"INSTANCE_HA_SECRETS_DIR": str(tmp_path)})
    assert settings.database_url.get_secret_value() == URL
    assert settings.trigger_keys == (b"first", b"second")


def test_a_variable_that_says_what_is_mounted_is_allowed_and_one_that_contradicts_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trigger-key").write_text("mounted\n")
    environ = {"DATABASE_URL": URL, "INSTANCE_HA_SECRETS_DIR": str(tmp_path)}
    assert load(environ).trigger_keys == (b"mounted",)
    assert load(environ | {"INSTANCE_HA_TRIGGER_KEY": "mounted"}).trigger_keys == (b"mounted",)
    with pytest.raises(Misconfigured, match="is mounted with another value") as refused:
        load(environ | {"INSTANCE_HA_TRIGGER_KEY": "s3cret-and-other"})
    assert "s3cret" not in str(refused.value)


def test_without_a_trigger_key_there_is_none() -> None:
    assert load({"DATABASE_URL": URL}).trigger_keys == ()


def test_settings_do_not_show_their_secrets_when_printed() -> None:
    settings = load({"DATABASE_URL": URL, "INSTANCE_HA_TRIGGER_KEY": "k3y"})
    assert "s3cret" not in repr(settings)
    assert "k3y" not in repr(settings)


def test_the_tokens_of_consul_are_read_from_their_secrets_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "consul-token-storage").write_text("s3cret\n")
    settings = load({"DATABASE_URL": URL, "INSTANCE_HA_SECRETS_DIR": str(tmp_path)})
    assert settings.consul_token_storage is not None
    assert settings.consul_token_storage.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_the_defaults_of_the_monitors_are_those_of_masakari() -> None:
    settings = load({"DATABASE_URL": URL})
    assert (settings.monitoring_interval, settings.monitoring_samples) == (60, 1)
    assert (settings.guest_monitoring_interval, settings.guest_monitoring_timeout) == (10, 2)
    assert settings.guest_monitoring_failure_threshold == 3
    assert (settings.monitoring_driver, settings.guest_monitoring) == (None, False)
