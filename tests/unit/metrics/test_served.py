"""What is served after real recoveries, in the simulator; and that rules and dashboard ask for what is there."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from instance_ha import purge
from instance_ha.decide.purge import PurgeRequest
from instance_ha.metrics.gather import take_in
from instance_ha.models import metrics
from instance_ha.models.metric import Form, Metric
from instance_ha.serving import scrape
from instance_ha.store.database import Database
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.scenarios.test_scenarios import HERE as SCENARIOS

ROOT = Path(__file__).parents[3]
TOKEN = {"Authorization": "Bearer scrape-me"}
EVENT_LOST = "event-lost"
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
Played = Callable[..., Play]


@pytest.fixture
def played(postgres: Postgres, database_url: str, tmp_path: Path) -> Played:
    """What plays a scenario, with a token for the metrics."""

    def play(folder: str, *clocks: dict[str, Any], **settings: Any) -> Play:
        scenario = Scenario.read(SCENARIOS / folder)
        scenario.faults["clocks"] = [*scenario.faults.get("clocks", ()), *clocks]
        scenario.world["settings"] = scenario.world.get("settings", {}) | {"metrics_token": "scrape-me"} | settings
        story = Play(scenario, database_url, postgres, tmp_path)
        story.run()
        return story

    return play


def scraped(play: Play, function: str = "sweep") -> Series:
    """Return all series as Prometheus sees them."""
    answer = play.simulation.call(function, scrape.PATH, b"", TOKEN, "GET")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.get_data(as_text=True))
    samples = [sample for family in families for sample in family.samples]
    series = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(series) == len(samples), "a series is there twice"
    return series


def value(series: Series, name: str, **labels: str) -> float:
    """Return the value of one series."""
    return series[f"instance_ha_{name}", frozenset(labels.items())]


def at(play: Play, words: str) -> float:
    """Return when the log says something for the last time."""
    return float([line for line in play.lines if words in line][-1][2:10])


def test_a_recovery_is_told_as_it_was(played: Played) -> None:
    play = played(EVENT_LOST)
    series = scraped(play)
    failed, begun = at(play, "notify compute1"), at(play, "evacuations begun")
    active = at(play, "evacuation ended")

    def one(name: str, **labels: str) -> float:
        return value(series, name, **labels)

    host = {"type": "COMPUTE_HOST"}
    assert one("recoveries_total", status="finished", **host) == 1
    assert one("recoveries_total", status="failed", **host) == 0
    assert one("recoveries_total", status="finished", type="VM") == 0
    assert [one("evacuations_total", status=status) for status in ("succeeded", "failed", "ignored")] == [2, 0, 0]
    assert one("notification_delay_seconds_bucket", le="1", **host) == 1
    assert one("first_evacuation_delay_seconds_sum") == pytest.approx(begun - failed, abs=0.1)
    assert [one("first_evacuation_delay_seconds_bucket", le=le) for le in ("30", "60", "+Inf")] == [0, 1, 1]
    assert one("last_instance_active_delay_seconds_sum", **host) == pytest.approx(active - failed, abs=0.1)
    assert [one("last_instance_active_delay_seconds_bucket", le=le, **host) for le in ("60", "120")] == [0, 1]
    assert one("nova_request_seconds_count", operation="evacuate", outcome="ok") == 2
    # Nova stores the change at once, and then calls the dead host.
    assert one("nova_request_seconds_count", operation="PUT os-services", outcome="timeout") == 1
    assert one("nova_request_seconds_count", operation="GET servers/detail", outcome="ok") >= 1
    assert one("open_recoveries", status="running", **host) == 0
    assert one("overdue_rows", table="vmoves") == 0


def reopen(play: Play) -> None:
    """Let the recovery run, since 100 s, and be overdue, since 40 s."""
    now = play.simulation.scheduler.now()
    with play.simulation.world.database.begin() as connection:
        running = "status = 'running', counted = false, created_at = :old, due_at = :due, lease_until = NULL"
        times = {"old": now - timedelta(seconds=100), "due": now - timedelta(seconds=40)}
        connection.execute(text(f"UPDATE notifications SET {running}"), times)
        connection.execute(text("UPDATE vmoves SET status = 'pending' WHERE instance_name = 'vm-1'"))


@pytest.mark.parametrize("ahead", [3600.0, -360.0])
def test_ages_and_the_last_tick_are_told_by_postgres_clock_whatever_a_machine_says(
    played: Played, ahead: float
) -> None:
    play = played(EVENT_LOST, *({"function": name, "ahead": ahead} for name in ("sweep", "api-hosts")))
    reopen(play)
    series, now = scraped(play, "api-hosts"), play.simulation.scheduler.now().timestamp()
    assert value(series, "oldest_open_recovery_age_seconds", type="COMPUTE_HOST") == 100
    assert value(series, "oldest_overdue_seconds", table="notifications") == 40
    assert 0 <= now - value(series, "last_tick_timestamp_seconds", function="sweep") <= 60


def test_an_open_recovery_is_told_as_it_is(played: Played) -> None:
    play = played(EVENT_LOST)
    reopen(play)
    series = scraped(play)
    assert value(series, "open_recoveries", type="COMPUTE_HOST", status="running") == 1
    assert value(series, "oldest_open_recovery_age_seconds", type="COMPUTE_HOST") == 100
    assert value(series, "oldest_open_recovery_age_seconds", type="VM") == 0
    assert value(series, "open_recovery_evacuations", status="succeeded") == 1
    assert value(series, "open_recovery_evacuations", status="pending") == 1
    assert value(series, "overdue_rows", table="notifications") == 1
    assert value(series, "oldest_overdue_seconds", table="notifications") == 40
    assert value(series, "recoveries_total", type="COMPUTE_HOST", status="finished") == 0


def test_trouble_with_nova_is_told_by_its_kind(played: Played) -> None:
    series = scraped(played("nova-answers-500-then-works"))
    outcomes = {dict(labels)["outcome"] for name, labels in series if name.endswith("nova_request_seconds_count")}
    assert {"ok", "unavailable"} <= outcomes <= {"ok", "unavailable", "refused", "timeout"}


def test_nothing_that_a_request_is_about_is_in_a_label(played: Played) -> None:
    play = played("event-doubled")
    shown = str(sorted(name for name in scraped(play)))
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|compute\d|vm-\d", shown)


def test_every_function_serves_the_same(played: Played) -> None:
    play = played(EVENT_LOST)
    first = scraped(play)
    assert all(first == scraped(play, name) for name in ("api-hosts", "recover-host", "monitor-poll"))


def test_a_recovery_counts_once_however_often_and_by_how_many_it_is_asked_for(
    played: Played, database_url: str
) -> None:
    play = played(EVENT_LOST)
    pools = [Database(database_url, 1) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(take_in, pools))
    for pool in pools:
        pool.close()
    for _ in range(2):
        series = scraped(play)
        assert value(series, "recoveries_total", type="COMPUTE_HOST", status="finished") == 1
        assert value(series, "evacuations_total", status="succeeded") == 2


@pytest.mark.parametrize("seen_before", [True, False])
def test_no_counter_falls_when_its_rows_are_purged(played: Played, seen_before: bool) -> None:
    play = played(EVENT_LOST)
    before: Series = scraped(play) if seen_before else {}
    with play.simulation.world.database.begin() as connection:
        long_ago = "UPDATE notifications SET updated_at = updated_at - interval '40 days', due_at = NULL"
        connection.execute(text(long_ago))  # and so checked once more, long ago as well
    assert purge.purge(play.simulation.world, PurgeRequest(30, -1), None).tables["notifications"] == 1
    after = scraped(play)
    assert value(after, "recoveries_total", type="COMPUTE_HOST", status="finished") == 1
    assert value(after, "evacuations_total", status="succeeded") == 2
    counters = {f"{metric.shown}" for metric in metrics.ALL if metric.form is not Form.GAUGE}
    fallen = [
        key for key, number in before.items() if key[0].startswith(tuple(counters)) and after.get(key, -1.0) < number
    ]
    assert fallen == []


def test_the_table_may_be_asked_for_while_postgres_is_away_and_the_answer_is_503(played: Played) -> None:
    play = played(EVENT_LOST)
    away = Database("postgresql://ha:s3cret@127.0.0.1:1/ha")
    play.simulation.world = replace(play.simulation.world, database=away)
    answer = play.simulation.call("sweep", scrape.PATH, b"", TOKEN, "GET")
    assert answer.status_code == 503
    assert "s3cret" not in answer.get_data(as_text=True)
    assert play.simulation.call("api-segments", "/", b"", {}, "GET").status_code in {200, 300}


def test_metrics_of_a_schema_that_is_not_migrated_yet_are_answered_503(played: Played) -> None:
    play = played(EVENT_LOST)
    with play.simulation.world.database.begin() as connection:
        connection.execute(text("DROP TABLE counters"))
    assert play.simulation.call("sweep", scrape.PATH, b"", TOKEN, "GET").status_code == 503
    refused = play.simulation.call("recover-host", "/", b"", {}).status_code  # it counts that, or would
    assert refused in {400, 403}


def named_in(words: str) -> set[str]:
    """Return the names of all metrics in an expression."""
    return set(re.findall(r"\binstance_ha_\w+", words))


def expressions() -> dict[str, str]:
    """Return everything that rules and dashboard ask Prometheus for."""
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    board = json.loads((ROOT / "deploy/grafana/instance-ha.json").read_text())
    for panel in board["panels"]:
        found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel.get("targets", [])}
    return found


def test_all_that_rules_and_dashboard_ask_for_is_served(played: Played) -> None:
    play = played("all-hosts-look-dead")  # with monitor-poll
    with play.simulation.world.database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO outbox (created_at, event_id, event_type, subject, body, sink) "
                "VALUES (now(), 'e', 't', 's', '{}', 'one')"
            )
        )
    play.simulation.call("recover-host", "/", b"", {})  # unsigned
    play.simulation.call("recover-host", "/", b"{}", {"ce-id": "1"})
    play.simulation.call("api-segments", "/", b"", {}, "GET")
    played_too = scraped(play)
    names = {name for name, _ in played_too} | {"instance_ha_nova_request_seconds_count"}
    names |= {
        "instance_ha_nova_request_seconds_sum"
    }  # none of the monitors asks Nova; it is in the list of those above
    missing = {title: named_in(asked) - names for title, asked in expressions().items() if named_in(asked) - names}
    assert missing == {}
    assert value(played_too, "triggers_refused_total", function="recover-host") == 2
    assert value(played_too, "ticks_total", function="monitor-poll") >= 1
    assert all(named_in(asked) for asked in expressions().values())


def test_every_metric_is_described_and_none_else_is_served(played: Played) -> None:
    play = played(EVENT_LOST)
    body = play.simulation.call("sweep", scrape.PATH, b"", TOKEN, "GET").get_data(as_text=True)
    served = {
        (words[2], words[3]) for line in body.splitlines() if (words := line.split(maxsplit=3))[:2] == ["#", "TYPE"]
    }
    assert served == {(metric.shown, str(metric.form)) for metric in metrics.ALL}
    document = (ROOT / "docs/metrics.md").read_text()
    assert [metric.shown for metric in metrics.ALL if f"`{metric.shown}`" not in document] == []


@pytest.mark.parametrize("metric", metrics.ALL, ids=lambda metric: metric.name)
def test_a_metric_is_named_as_prometheus_wants_it(metric: Metric) -> None:
    assert re.fullmatch(r"instance_ha_[a-z_]+", metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert bool(metric.buckets) is (metric.form is Form.HISTOGRAM)
    assert list(metric.buckets) == sorted(metric.buckets)
    if metric.form in {Form.HISTOGRAM, Form.SUMMARY}:
        assert metric.name.endswith("_seconds")


def test_each_alert_says_what_to_do_and_where_it_is_written() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yaml").read_text())
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operate.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert rule["labels"]["severity"] in {"warning", "critical"}
        notes = rule["annotations"]
        assert set(notes) == {"summary", "description", "runbook_url"}
        page, _, anchor = notes["runbook_url"].partition("#")
        assert (page, anchor in anchors) == ("docs/operate.md", True), notes["runbook_url"]


def test_the_dashboard_is_whole() -> None:
    board = json.loads((ROOT / "deploy/grafana/instance-ha.json").read_text())
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    assert all(panel["title"] for panel in board["panels"])
    assert all(panel["targets"] for panel in board["panels"] if panel["type"] != "row")


def test_the_scrape_configuration_asks_for_the_path_with_the_token() -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus/scrape.yaml").read_text())["scrape_configs"]
    assert job["metrics_path"] == scrape.PATH
    assert job["authorization"]["credentials_file"].endswith("/metrics-token")
