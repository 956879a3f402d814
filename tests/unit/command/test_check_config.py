from pathlib import Path

import pytest
from instance_ha.command import main

GOOD = {
    "DATABASE_URL": "postgresql://db/ha",
    "EVENT_SINK": "http://broker",
    "INSTANCE_HA_EVENT_KEY": "key",
    "OS_AUTH_URL": "http://keystone",
}


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    """Run the command with these settings; returns its exit status and its lines."""

    def run(**environ: str) -> tuple[int, list[str]]:
        for name in ("OS_CLOUD", "K_SINK"):
            monkeypatch.delenv(name, raising=False)
        for name, value in (GOOD | environ).items():
            monkeypatch.setenv(name, value)
        return main(["check-config"]), capsys.readouterr().out.splitlines()

    return run


def test_a_good_configuration_is_silent(check: object) -> None:
    assert callable(check)
    assert check() == (0, [])


def test_each_wrong_setting_is_a_line(check: object) -> None:
    assert callable(check)
    code, lines = check(INSTANCE_HA_LEASE_TIME="soon", INSTANCE_HA_RECOVERY_ATTEMPTS="0")
    assert code == 1
    assert [line.split(":")[0] for line in lines] == ["INSTANCE_HA_RECOVERY_ATTEMPTS", "INSTANCE_HA_LEASE_TIME"]


def test_problems_of_several_files_are_told_together(check: object, tmp_path: Path) -> None:
    assert callable(check)
    file = tmp_path / "flows.conf"
    file.write_text(
        "[taskflow_driver_recovery_flows]\n"
        "process_failure_recovery_tasks = pre:['page_somebody'],main:[],post:[]\n"
        "host_failure = pre:[],main:[],post:[]\n"
    )
    code, lines = check(INSTANCE_HA_RECOVERY_FLOWS_FILE=str(file), EVENT_SINK="")
    assert code == 1
    assert len(lines) == 3
    assert "EVENT_SINK" in lines[0]
    assert "page_somebody" in lines[1]
    assert "host_failure" in lines[2]
