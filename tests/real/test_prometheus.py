"""The alert rules, by Prometheus' own tool."""

import subprocess
from pathlib import Path

import pytest

from tests.real.conftest import part

RULES = Path(__file__).parents[2] / "deploy/prometheus"


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "rules.yaml"), ("test", "rules", "rules.test.yaml")],
    ids=["they are rules", "they fire when they shall, and not else"],
)
def test_promtool_finds_nothing_wrong_with_the_alert_rules(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([part("usr/bin/promtool"), *arguments], cwd=RULES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_scrape_configuration(tmp_path: Path) -> None:
    token = tmp_path / "metrics-token"
    token.write_text("any")
    text = (RULES / "scrape.yaml").read_text().replace("/etc/prometheus/secrets/metrics-token", str(token))
    (tmp_path / "prometheus.yml").write_text(text)
    command = [str(part("usr/bin/promtool")), "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
