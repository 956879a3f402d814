"""The account of an outage is held against the simulated cloud's own history, which no recovery reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from instance_ha.decide.incident import account
from instance_ha.decide.incident_page import markdown
from instance_ha.models.incident import Ended, Incident
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

from tests.scenarios.stages import stage_for

HERE = Path(__file__).parent


@contextmanager
def played(name: str, postgres: Postgres, stage: Stage) -> Iterator[Play]:
    """Play a folder to its end."""
    with TemporaryDirectory() as own, stage_for(HERE / name, postgres, stage) as (server, database):
        play = Play(Scenario.read(HERE / name), database, server, Path(own))
        play.run()
        yield play


def incident_of(play: Play, number: int = 0) -> Incident:
    """Account for a recovery of it."""
    uuid = list(play.names_of_notifications())[number]
    with play.simulation.world.database.read(one_moment=True) as connection:
        return account(explanations.rows_of(connection, NotificationUuid(uuid)))


def moment(found: Incident, name: str) -> datetime | None:
    """Return the time of a step."""
    return next(one.at for one in found.moments if one.name == name)


@pytest.mark.parametrize(
    ("name", "late"),
    [
        ("rack-dies", 1),
        ("fence-works", 1),
        ("retry-after-one-failed", 1),
        ("evacuate-answer-lost", 1),
        ("one-evacuation-fails", 1),
        ("database-restarts-midway", 25),  # while Postgres is away nothing is seen
    ],
)
def test_no_outage_is_told_shorter_than_it_was_nor_longer_than_what_was_not_seen(
    name: str, late: float, postgres: Postgres, stage: Stage
) -> None:
    with played(name, postgres, stage) as play:
        cloud = play.simulation.cloud
        recoveries = range(len(play.names_of_notifications()))
        accounts = [one for number in recoveries for one in incident_of(play, number).instances if one.outage]
        assert accounts
        for one in accounts:
            with cloud.world() as world:
                died = max(d.time for d in world.history.deaths if one.instance_uuid in d.servers)
                runs = [r for r in world.history.runs if r.server_id == one.instance_uuid and r.host == one.dest_host]
            truth = (runs[-1].since - died).total_seconds()
            assert one.moved_at is not None
            # A nova-compute reports every 10 s; a guest runs a fifth of its evacuation before Nova says so, and that
            # is read twice a second, or later where Nova or Postgres is away, which is in the folder then.
            unseen = cloud.options.report_interval + (one.moved_at - runs[-1].since).total_seconds()
            assert one.outage is not None
            assert truth <= one.outage <= truth + unseen, one
            done = [m for m in cloud.migrations() if m.instance_uuid == one.instance_uuid and m.status == "done"]
            assert done[-1].updated_at is not None
            assert 0 <= (one.moved_at - done[-1].updated_at).total_seconds() <= late, one


def test_the_steps_of_an_incident_are_in_their_order(postgres: Postgres, stage: Stage) -> None:
    with played("fence-works", postgres, stage) as play:
        found = incident_of(play)
        with play.simulation.cloud.world() as world:
            death = min(one.time for one in world.history.deaths)
    last_sign = moment(found, "last sign of life")
    assert last_sign is not None
    assert 0 <= (death - last_sign).total_seconds() <= 10
    times = [one.at for one in found.moments if one.at is not None]
    assert len(times) == len(found.moments)
    assert times == sorted(times)


def test_a_page_names_what_nova_refused_and_who_is_not_back(postgres: Postgres, stage: Stage) -> None:
    with played("second-report-names-what-the-first-has-wrecked", postgres, stage) as play:
        found = incident_of(play)
    assert found.totals.lasting == 1
    assert [one.ended for one in found.instances if one.outage is None] == [Ended.LASTS]
    page = markdown(found)
    assert "## Failed attempts" in page
    assert all(one.reason.split(":")[0] in page for one in found.failures)


def test_an_instance_with_an_agent_is_back_when_its_agent_answers(postgres: Postgres, stage: Stage) -> None:
    with played("incident-with-guest-agents", postgres, stage) as play:
        found = incident_of(play)
    by_name = {one.instance_name: one for one in found.instances}
    with_agent, without, stopped = (by_name[name] for name in ("vm-agent", "vm-plain", "vm-off"))
    assert (with_agent.ended, without.ended, stopped.ended) == (Ended.AGENT, Ended.ACTIVE, Ended.DID_NOT_RUN)
    assert with_agent.alive_at is not None
    assert with_agent.moved_at is not None
    assert with_agent.alive_at > with_agent.moved_at
    assert without.alive_at == without.moved_at
    assert stopped.outage is None
