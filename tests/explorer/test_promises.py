"""Each check of the explorer fails when its promise is broken: shown with a history that is changed by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from instance_ha.decide.evacuation import lock_reason
from instance_ha_simulator.cloud.history import Received, Run, Wanted
from instance_ha_simulator.cloud.model import EvacuationRequest
from instance_ha_simulator.cloud.world import World
from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.callers import Posted
from instance_ha_simulator.explorer.explore import explore
from instance_ha_simulator.explorer.play import Exploration

WORLD: dict[str, Any] = {
    "settings": {"verify_interval": 10, "sweep_interval": 50, "notifications_expired_interval": 300},
    "cloud": {"service_down_time": 20.0},
    "hosts": {
        "failing1": {"instances": [{"names": ["vm-1"]}, {"names": ["vm-2"], "locked": True}]},
        "other1": None,
        "spare1": None,
    },
    "segments": {"one": {"hosts": ["failing1", "other1"], "method": "auto_priority", "reserved": ["spare1"]}},
    "disabled": ["spare1"],  # or the scheduler evacuates to it
    "happenings": [{"at": 5.0, "kill_host": "failing1"}, {"at": 10.0, "notify": "failing1"}],
}


def play(stage: Stage, folder: Path, change: Callable[[Exploration, World], None] | None = None, **world: Any) -> str:
    """Play the world, change what has happened once the recovery is closed, and return what is broken."""
    changed: list[bool] = []

    def hear(played: Exploration, line: Any) -> None:
        if line["event"] == "notification closed" and change is not None and not changed:
            changed.append(True)
            with played.simulation.cloud.world() as cloud:
                change(played, cloud)

    return "\n".join(explore(stage, WORLD | world, {}, folder, hear).broken)


def server(cloud: World, name: str) -> Any:
    return next(one for one in cloud.servers.values() if one.name == name)


def request(played: Exploration, cloud: World, name: str = "vm-1", **values: Any) -> EvacuationRequest:
    us = played.simulation.cloud.identity.users["masakari"].id
    return replace(EvacuationRequest(cloud.now, server(cloud, name).id, "failing1", None, us), **values)


def test_a_good_recovery_breaks_none(stage: Stage, tmp_path: Path) -> None:
    assert play(stage, tmp_path) == ""


def test_a_host_that_is_only_cut_off_and_that_nobody_reports_breaks_none(stage: Stage, tmp_path: Path) -> None:
    assert play(stage, tmp_path, happenings=[{"at": 5.0, "stop_compute": "failing1"}]) == ""


def of_a_live_host(played: Exploration, cloud: World) -> None:
    cloud.evacuation_requests.append(request(played, cloud, source_alive=True, alive_for=5.0))


def of_a_host_long_alive(played: Exploration, cloud: World) -> None:
    cloud.evacuation_requests.append(request(played, cloud, source_alive=True, alive_for=50.0))


def while_one_is_under_way(played: Exploration, cloud: World) -> None:
    cloud.evacuation_requests.append(request(played, cloud, overlapping=True))


def two_runs(played: Exploration, cloud: World) -> None:
    cloud.history.runs.append(Run(server(cloud, "vm-1").id, "elsewhere", cloud.now))


def unconfirmed(played: Exploration, cloud: World) -> None:
    played.callers.policies[:] = [
        (played.callers.policies[0][0], {"dead_when": [["service_down", "confirmed"]], "fence": "never"})
    ]


def where_a_fence_is_required(played: Exploration, cloud: World) -> None:
    played.callers.policies[:] = [
        (played.callers.policies[0][0], {"dead_when": [["service_down"]], "fence": "required"})
    ]


def while_it_was_seen_alive(played: Exploration, cloud: World) -> None:
    since = min(played.callers.accepted.values())
    played.callers.posted.append(Posted(since, since + timedelta(days=1), "failing1", "external", "alive", "rack"))


def fenced_unasked(played: Exploration, cloud: World) -> None:
    played.simulation.fences.requests.append((11.0, "failing1", "redfish"))


def fenced_when_it_was_forbidden(played: Exploration, cloud: World) -> None:
    since = played.callers.policies[0][0]
    allowed = {"dead_when": [["service_down"]], "fence": "if_possible"}
    played.callers.policies[:] = [(since, allowed), (since + timedelta(seconds=1), allowed | {"fence": "never"})]
    played.simulation.fences.requests.append((11.0, "failing1", "redfish"))


def fenced_unreported(played: Exploration, cloud: World) -> None:
    played.simulation.fences.requests.append((11.0, "other1", "redfish"))


def fenced_in_two_ways(played: Exploration, cloud: World) -> None:
    played.simulation.fences.parallel.append("failing1")


def asked_of_a_host_that_is_up(played: Exploration, cloud: World) -> None:
    cloud.history.refused.append(request(played, cloud, alive_for=100.0))


def waited_for_too_long(played: Exploration, cloud: World) -> None:
    with played.simulation.database.begin() as connection:
        connection.exec_driver_sql("UPDATE vmoves SET asked_at = asked_at - interval '1 day'")


def say(played: Exploration, event: str, **about: Any) -> None:
    """Have our functions say something more."""
    uuid = played.callers.notifications[0]
    for watcher in list(played.watchers[1:]):  # but the one that has called us
        watcher({"event": event, "notification_uuid": uuid, "host": "failing1"} | about)


def said_to_be_down(played: Exploration, cloud: World) -> None:
    say(played, "compute service down", host="other1")


def two_recoveries(played: Exploration, cloud: World) -> None:
    played.callers.reports["another"], played.callers.accepted["another"] = "failing1", cloud.now
    say(played, "recovery started", notification_uuid="another")


def ended_without_an_unlock(played: Exploration, cloud: World, by: str | None = None) -> None:
    lock_of_ours(played, cloud)
    server(cloud, "vm-1").locked_reason = lock_reason(by or played.callers.notifications[0])
    cloud.history.received[:] = [Received(cloud.now, server(cloud, "vm-1").id, "lock", cloud.now)]
    say(played, "evacuation ended", instance_uuid=server(cloud, "vm-1").id, instance="vm-1", status="succeeded")


def called_alive(played: Exploration, cloud: World) -> None:
    message = "host failing1 is alive: its nova-compute went on reporting to Nova"
    say(played, "notification closed", status="ignored", message=message)


def lock_of_ours(played: Exploration, cloud: World) -> None:
    server(cloud, "vm-1").locked_by, server(cloud, "vm-1").locked_reason = "admin", lock_reason("another")


def unlocked(played: Exploration, cloud: World) -> None:
    server(cloud, "vm-2").locked_by = None


def other_is_disabled(played: Exploration, cloud: World) -> None:
    reason = played.simulation.settings.service_disable_reason
    cloud.hosts["other1"].enabled, cloud.hosts["other1"].disabled_reason = False, reason


def in_error(played: Exploration, cloud: World) -> None:
    server(cloud, "vm-1").become(cloud.now, "error")


def stopped(played: Exploration, cloud: World) -> None:
    server(cloud, "vm-1").become(cloud.now, "stopped")


def back_on_its_host(played: Exploration, cloud: World) -> None:
    server(cloud, "vm-1").host = "failing1"


def wanted_stopped(played: Exploration, cloud: World) -> None:
    cloud.history.asked(server(cloud, "vm-1").id, "os-stop", cloud.now, alive=True)


def asked_in_vain(played: Exploration, cloud: World) -> None:
    cloud.history.asked(server(cloud, "vm-1").id, "os-stop", cloud.now - timedelta(days=1), alive=False)


def on_maintenance(played: Exploration, cloud: World) -> None:
    played.happenings.change_host("other1", on_maintenance=True)


def not_reserved(played: Exploration, cloud: World) -> None:
    played.happenings.change_host("spare1", reserved=False)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of_a_live_host, "vm-1 evacuated: failing1 lives and is not forced down"),
        (of_a_host_long_alive, "vm-1 evacuated: failing1 lives for 50.0 s"),
        (while_one_is_under_way, "vm-1 evacuated while an evacuation was under way"),
        (two_runs, "vm-1 ran on other1 and elsewhere at once"),
        (unconfirmed, "vm-1 evacuated: failing1 was not proven dead"),
        (where_a_fence_is_required, "vm-1 evacuated: failing1 was not proven dead"),
        (while_it_was_seen_alive, "vm-1 evacuated: failing1 was not proven dead"),
        (fenced_unasked, "failing1 was fenced although its segment does not say so"),
        (fenced_when_it_was_forbidden, "failing1 was fenced although its segment does not say so"),
        (fenced_unreported, "other1 was fenced, and its failure was not being handled"),
        (fenced_in_two_ways, "failing1 was fenced in two ways at once"),
        (asked_of_a_host_that_is_up, "an evacuation of vm-1 was asked for: failing1 is up"),
        (waited_for_too_long, "the evacuation of vm-1 was not given up"),
        (said_to_be_down, "it is said that the service of other1 is down, and Nova calls it up"),
        (two_recoveries, "two recoveries of failing1 run at once"),
        (ended_without_an_unlock, "the evacuation of vm-1 has ended, and nobody has asked to unlock it"),
        (called_alive, "failing1 is called alive or back, and was dead all the time"),
        (lock_of_ours, "vm-1 is left locked by us"),
        (unlocked, "the owner's lock of vm-2 is gone"),
        (other_is_disabled, "the service of other1 is disabled, and no recovery says why"),
        (in_error, "finished, but vm-1 is in error on other1"),
        (back_on_its_host, "finished, but vm-1 is still on failing1"),
        (back_on_its_host, "vm-1 is on failing1, which is dead, and nobody says why"),
        (stopped, "vm-1 is stopped on other1, its owner wants active"),
        (wanted_stopped, "vm-1 is active on other1, its owner wants stopped"),
        (asked_in_vain, "vm-1 is active on other1, its owner wants stopped"),
        (on_maintenance, "other1 is on maintenance, and no recovery says why"),
        (not_reserved, "spare1 is not reserved any more, though nothing came to it"),
    ],
)
def test_a_broken_promise_is_found(
    change: Callable[[Exploration, World], None], said: str, stage: Stage, tmp_path: Path
) -> None:
    assert said in play(stage, tmp_path, change)


def test_the_lock_of_another_recovery_stays_when_an_evacuation_ends(stage: Stage, tmp_path: Path) -> None:
    said = "nobody has asked to unlock it"
    assert said not in play(stage, tmp_path, partial(ended_without_an_unlock, by="another"))


def recovery_begins(played: Exploration, cloud: World, scope: str, seconds: float) -> None:
    """A new recovery begins so long after a pause was begun."""
    until = str(cloud.now + timedelta(hours=1))
    say(played, "pause begun", scope=scope, until=until)
    played.simulation.scheduler.sleep(seconds)
    played.callers.reports["another"], played.callers.accepted["another"] = "other1", cloud.now
    say(played, "recovery started", notification_uuid="another", host="other1", attempt=1)


def test_what_begins_in_a_pause_of_the_cloud_is_found(stage: Stage, tmp_path: Path) -> None:
    said = "the recovery of other1 begins while the cloud is paused"
    assert said in play(stage, tmp_path, partial(recovery_begins, scope="cloud", seconds=25.0))
    assert said not in play(stage, tmp_path, partial(recovery_begins, scope="cloud", seconds=5.0))
    assert said not in play(stage, tmp_path, partial(recovery_begins, scope="host", seconds=25.0))


def test_a_host_that_never_fence_names_and_that_was_fenced_is_found(stage: Stage, tmp_path: Path) -> None:
    settings = WORLD["settings"] | {"never_fence": "control*,failing*"}
    said = "failing1 was fenced, which never_fence names"
    assert said in play(stage, tmp_path, fenced_unasked, settings=settings)
    assert said not in play(stage, tmp_path, fenced_unasked, settings=settings | {"never_fence": "control*"})


def test_a_fence_that_was_begun_while_it_was_allowed_may_be_asked_for_again(stage: Stage, tmp_path: Path) -> None:
    def ask_again(played: Exploration, cloud: World) -> None:
        fenced_when_it_was_forbidden(played, cloud)
        at = played.simulation.scheduler.elapsed
        played.callers.policies[1] = (cloud.now + timedelta(seconds=1), played.callers.policies[1][1])
        played.simulation.fences.requests[:] = [(at, "failing1", "redfish"), (at + 10.0, "failing1", "redfish")]
        played.closed[played.callers.notifications[0]] = cloud.now + timedelta(days=1)

    assert "its segment does not say so" not in play(stage, tmp_path, ask_again)


def test_a_lock_that_nova_does_not_let_us_remove_is_no_breach_when_the_recovery_says_so(
    stage: Stage, tmp_path: Path
) -> None:
    def lock(played: Exploration, cloud: World, words: str) -> None:
        lock_of_ours(played, cloud)
        message = f"vm-1 ({server(cloud, 'vm-1').id}) {words}"
        with played.simulation.database.begin() as connection:
            connection.exec_driver_sql("UPDATE notifications SET message = %(said)s", {"said": message})

    named = partial(lock, words="is left locked by us, and Nova refuses to unlock it: no")
    assert "vm-1 is left locked by us" not in play(stage, tmp_path, named)
    assert "vm-1 is left locked by us" in play(stage, tmp_path, partial(lock, words="is somewhere"))


def test_a_reserved_host_to_which_an_operator_has_evacuated_need_not_be_given_back(
    stage: Stage, tmp_path: Path
) -> None:
    def use(played: Exploration, cloud: World) -> None:
        not_reserved(played, cloud)
        server(cloud, "vm-1").host = "spare1"

    assert play(stage, tmp_path, use) == ""


def test_what_was_posted_may_be_lost_with_the_primary(stage: Stage, tmp_path: Path) -> None:
    late = [{"at": 200.0, "standby_falls_behind": True}, {"at": 200.1, "standby_is_promoted": 0.0}]
    happenings = [*WORLD["happenings"], *late]
    said = "vm-1 evacuated: failing1 was not proven dead"
    assert said not in play(stage, tmp_path, while_it_was_seen_alive, happenings=happenings)


@pytest.mark.parametrize(
    ("looked", "evacuated", "is_excused"),
    [(8, 7, True), (8, 8, True), (8, 9, False), (11, 7, False)],  # seconds before our request
)
def test_an_operators_evacuation_excuses_ours_only_after_a_look_that_is_as_late_as_promised(
    looked: float, evacuated: float, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def evacuate(played: Exploration, cloud: World) -> None:
        cloud.history.reads["os-migrations"] = [cloud.now - timedelta(seconds=looked)]
        at = cloud.now - timedelta(seconds=evacuated)
        cloud.evacuation_requests.append(request(played, cloud, time=at, by="operator"))
        cloud.evacuation_requests.append(request(played, cloud, overlapping=True))

    said = "vm-1 evacuated while an evacuation was under way"
    assert (said not in play(stage, tmp_path, evacuate)) == is_excused


@pytest.mark.parametrize(("reported", "is_excused"), [(None, False), (-1, False), (1, True)])
def test_an_evacuation_under_way_excuses_another_only_when_its_destination_was_proven_dead_since(
    reported: float | None, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def ask_again(played: Exploration, cloud: World) -> None:
        first = next(one for one in cloud.migrations if one.instance_uuid == server(cloud, "vm-1").id)
        if reported is not None:
            played.callers.reports["another"] = first.dest_compute
            played.callers.accepted["another"] = first.created_at + timedelta(seconds=reported)
        cloud.evacuation_requests.append(request(played, cloud, overlapping=True))

    said = "vm-1 evacuated while an evacuation was under way"
    assert (said not in play(stage, tmp_path, ask_again)) == is_excused


@pytest.mark.parametrize(
    ("sent", "carried_out", "is_excused"), [(-2, 1, True), (-2, -1, False), (1, 2, False), (1, 1, False)]
)
def test_an_unlock_excuses_that_an_owners_lock_is_gone_only_when_it_was_sent_before_and_carried_out_after_it(
    sent: float, carried_out: float, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def unlock(played: Exploration, cloud: World) -> None:
        unlocked(played, cloud)
        its = server(cloud, "vm-2").id
        locked_at = cloud.history.locked[its]
        sent_at, at = (locked_at + timedelta(seconds=seconds) for seconds in (sent, carried_out))
        cloud.history.received.append(Received(at, its, "unlock", sent_at))

    assert ("the owner's lock of vm-2 is gone" not in play(stage, tmp_path, unlock)) == is_excused


@pytest.mark.parametrize(
    ("locked", "looked", "is_excused"), [(-1, None, True), (-1, -2, True), (-1, -0.5, False), (-30, None, False)]
)
def test_a_lock_of_ours_excuses_that_an_owners_is_gone_only_when_nothing_we_read_could_have_shown_theirs(
    locked: float, looked: float | None, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def lock(played: Exploration, cloud: World) -> None:
        its = server(cloud, "vm-1").id
        ours = next(act.time for act in cloud.instance_actions[its] if act.name == "lock")
        cloud.history.locked[its] = ours + timedelta(seconds=locked)
        cloud.history.reads[its] = [] if looked is None else [ours + timedelta(seconds=looked)]

    assert ("the owner's lock of vm-1 is gone" not in play(stage, tmp_path, lock)) == is_excused


@pytest.mark.parametrize("trouble", ["kill_after", "cut_in_commit"])
def test_a_report_that_was_stored_is_known_though_its_answer_was_lost(
    trouble: str, stage: Stage, tmp_path: Path
) -> None:
    known: list[Any] = []

    def hear(played: Exploration, line: Any) -> None:
        if line["event"] == "notification closed":
            known.append((dict(played.callers.reports), line["notification_uuid"]))

    faults = {"database": [{"nth": 1, "do": trouble}]}
    result = explore(stage, WORLD, faults, tmp_path, hear)
    assert result.broken == []
    assert known[0] == ({known[0][1]: "failing1"}, known[0][1])
    assert any("answered 409" in line for line in result.log)


def test_what_an_owner_asks_a_dead_host_for_counts_until_its_instances_are_listed(stage: Stage, tmp_path: Path) -> None:
    def pause(before: float) -> Callable[[Exploration, World], None]:
        def asked(played: Exploration, cloud: World) -> None:
            at = cloud.history.reads["detail"][0] - timedelta(seconds=before)
            cloud.history.asked(server(cloud, "vm-1").id, "pause", at, alive=False)

        return asked

    assert play(stage, tmp_path, pause(0.0)) == ""
    assert "its owner wants paused" in play(stage, tmp_path, pause(1.0))


@pytest.mark.parametrize(("before", "is_excused"), [(0.0, True), (1.0, False)])
def test_an_instance_may_be_in_error_at_the_end_when_its_owner_revived_it_after_it_was_listed(
    before: float, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def revive(played: Exploration, cloud: World) -> None:
        at = cloud.history.reads["detail"][0] - timedelta(seconds=before)
        in_error(played, cloud)
        cloud.history.wanted[server(cloud, "vm-1").id] = Wanted("active", at, "error", to_dead_host=True)

    assert ("finished, but vm-1 is in error" not in play(stage, tmp_path, revive)) == is_excused


@pytest.mark.parametrize(("sent", "came", "is_excused"), [(-1.0, 0.1, True), (-1.0, -0.1, False), (0.1, 0.2, False)])
def test_an_instance_may_be_in_error_at_the_end_when_a_reset_on_its_way_came_after_it_was_seen_well(
    sent: float, came: float, *, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def reset(played: Exploration, cloud: World) -> None:
        looked = cloud.history.reads["detail"][-1]
        sent_at, at = (looked + timedelta(seconds=seconds) for seconds in (sent, came))
        in_error(played, cloud)
        cloud.history.received.append(Received(at, server(cloud, "vm-1").id, "os-resetState", sent_at))

    assert ("finished, but vm-1 is in error" not in play(stage, tmp_path, reset)) == is_excused


def test_a_recovery_that_does_not_look_at_the_end_cannot_excuse_itself(stage: Stage, tmp_path: Path) -> None:
    def reset_unseen(played: Exploration, cloud: World) -> None:
        cloud.history.reads["detail"][1:] = []
        in_error(played, cloud)
        sent_at = cloud.history.reads["detail"][0] - timedelta(seconds=1)
        cloud.history.received.append(Received(cloud.now, server(cloud, "vm-1").id, "os-resetState", sent_at))

    assert "finished, but vm-1 is in error" in play(stage, tmp_path, reset_unseen)


def test_a_reserved_host_that_serves_two_failures_is_found(stage: Stage, tmp_path: Path) -> None:
    def two_sources(played: Exploration, cloud: World) -> None:
        for source in ("failing1", "other1"):
            cloud.evacuation_requests.append(request(played, cloud, source=source, host="spare1"))

    segments = {"one": {"hosts": ["failing1", "other1"], "method": "reserved_host", "reserved": ["spare1"]}}
    said = "reserved host spare1 took instances of failing1 and other1"
    assert said in play(stage, tmp_path, two_sources, segments=segments)


def test_a_reserved_host_that_was_given_back_since_all_failed_may_serve_another_failure(
    stage: Stage, tmp_path: Path
) -> None:
    def one_after_the_other(played: Exploration, cloud: World, ended: float) -> None:
        asked = cloud.now - timedelta(seconds=60)
        cloud.evacuation_requests.clear()
        cloud.evacuation_requests.append(request(played, cloud, source="failing1", host="spare1", time=asked))
        cloud.evacuation_requests.append(request(played, cloud, source="other1", host="spare1"))
        cloud.record(server(cloud, "vm-1"), "evacuation", None, "masakari", "service", "accepted")
        cloud.migrations[-1].become(cloud.now + timedelta(seconds=ended), "error")

    segments = {"one": {"hosts": ["failing1", "other1"], "method": "reserved_host", "reserved": ["spare1"]}}
    said = "reserved host spare1 took instances of failing1 and other1"
    assert said not in play(stage, tmp_path, partial(one_after_the_other, ended=-1), segments=segments)
    assert said in play(stage, tmp_path, partial(one_after_the_other, ended=1), segments=segments)


@pytest.mark.parametrize(("came", "is_excused"), [(20, True), (21, False)])  # seconds before our request
def test_an_instance_that_was_just_brought_to_a_live_host_may_be_asked_for_in_vain(
    came: float, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def ask(played: Exploration, cloud: World) -> None:
        cloud.record(server(cloud, "vm-1"), "evacuation", "spare1", "operator", "service", "accepted")
        cloud.migrations[-1].become(cloud.now - timedelta(seconds=came), "done")
        cloud.history.refused.append(request(played, cloud, source="spare1", alive_for=500.0))

    said = "an evacuation of vm-1 was asked for: spare1 is up"
    assert (said not in play(stage, tmp_path, ask)) == is_excused


def test_what_was_begun_by_a_report_that_is_lost_with_the_primary_nobody_remembers(
    stage: Stage, tmp_path: Path
) -> None:
    def disable(played: Exploration, cloud: World) -> None:
        other_is_disabled(played, cloud)
        played.callers.reports["lost"], played.callers.accepted["lost"] = "other1", cloud.now

    said = "the service of other1 is disabled, and no recovery says why"
    late = [{"at": 200.0, "standby_falls_behind": True}, {"at": 200.1, "standby_is_promoted": 0.0}]
    assert said in play(stage, tmp_path, disable)
    assert said not in play(stage, tmp_path, disable, happenings=[*WORLD["happenings"], *late])


@pytest.mark.parametrize(("late", "is_excused"), [(0.5, True), (200.0, False)])
def test_nobody_tells_of_instances_whose_hosts_only_report_was_lost_with_the_primary(
    late: float, *, is_excused: bool, stage: Stage, tmp_path: Path
) -> None:
    def evacuate_none(played: Exploration, line: Any) -> None:
        if line["event"] == "notification closed":
            with played.simulation.cloud.world() as cloud:
                back_on_its_host(played, cloud)

    lag = [{"at": 9.0 + late, "standby_falls_behind": True}, {"at": 11.0 + late, "standby_is_promoted": 10.0}]
    world = WORLD | {"happenings": [*WORLD["happenings"], *lag]}
    said = "vm-1 is on failing1, which is dead, and nobody says why"
    assert (said not in explore(stage, world, {}, tmp_path, evacuate_none).broken) == is_excused


def test_a_service_that_stays_disabled_though_its_host_lives_is_found(stage: Stage, tmp_path: Path) -> None:
    def disable(played: Exploration, line: Any) -> None:
        """Do so again after the final check has undone it."""
        if line["event"] in ("notification closed", "late disable undone"):
            reason = played.simulation.settings.service_disable_reason
            with played.simulation.cloud.world() as cloud:
                cloud.hosts["failing1"].enabled, cloud.hosts["failing1"].disabled_reason = False, reason

    world = WORLD | {"happenings": [{"at": 10.0, "notify": "failing1"}]}
    said = "the service of failing1 is disabled, though the recovery says that it is enabled again"
    assert said in explore(stage, world, {}, tmp_path, disable).broken


def test_an_installation_that_never_comes_to_rest_is_found(stage: Stage, tmp_path: Path) -> None:
    happenings = [*WORLD["happenings"], {"at": 20.0, "postgres_away": 1e6}]
    assert play(stage, tmp_path, happenings=happenings).startswith("not at rest")


def test_a_notification_that_is_not_final_is_found(stage: Stage, tmp_path: Path) -> None:
    def reopen(played: Exploration, cloud: World) -> None:
        with played.simulation.database.begin() as connection:
            connection.exec_driver_sql("UPDATE notifications SET status = 'error', message = 'why'")
            connection.exec_driver_sql("UPDATE notifications SET due_at = NULL")

    assert "a notification is error: why" in play(stage, tmp_path, reopen)


def test_a_defect_that_is_logged_is_found(stage: Stage, tmp_path: Path) -> None:
    def raise_one(played: Exploration, cloud: World) -> None:
        played.hear({"event": "unexpected error, will retry", "exception": "ZeroDivisionError"})

    assert play(stage, tmp_path, raise_one) == "a defect: ZeroDivisionError"
