"""What is drawn is plain data, the same for the same seed, and all that may go wrong is drawn."""

import yaml
from instance_ha_simulator.explorer.draw import draw
from instance_ha_simulator.explorer.shrink import Data, kinds, shrink

SEEDS = range(2000)


def test_a_seed_draws_the_same_world_each_time_and_it_can_be_written_to_a_folder() -> None:
    for seed in range(20):
        drawn = draw(seed, large=True)
        assert draw(seed, large=True) == drawn
        assert list(drawn) == yaml.safe_load(yaml.safe_dump(list(drawn)))


def test_the_seeds_of_the_tests_draw_all_that_may_go_wrong() -> None:
    happenings: set[str] = set()
    faults: set[str] = set()
    for seed in SEEDS:
        world, wrong = draw(seed)
        happenings |= {what for happening in world["happenings"] for what in happening}
        faults |= set(wrong)
    assert faults == {"clocks", "database", "evacuations", "events", "freeze", "kill", "nova", "schedule", "ticks"}
    assert happenings == {
        *("at", "kill_host", "start_host", "notify", "tick", "postgres_away", "tokens_expire"),
        *("nova_fault", "nova_faults_end", "cell_stops_answering", "cell_answers", "lose_casts", "capacity"),
        *(
            "live_migration",
            "live_migration_switches",
            "live_migration_ends",
            "evacuated_by_hand",
            "operator_resets",
            "lock_server",
        ),
        *("enable_service", "disable_service", "disable_segment", "enable_segment", "owner_deletes", "delete_server"),
        *("user_stops", "user_starts", "user_pauses", "user_unpauses", "user_suspends", "user_resumes"),
        *("user_reboots", "user_resizes", "user_locks", "user_unlocks"),
        *("stop_compute", "api", "policy", "standby_falls_behind", "standby_is_promoted"),
    }


def test_the_seeds_of_the_tests_draw_every_policy_and_every_misbehaviour_of_what_cuts_power() -> None:
    segments = [draw(seed)[0]["segments"]["one"].get("policy", {}) for seed in SEEDS]
    assert {policy.get("fence") for policy in segments} == {None, "never", "if_possible", "required"}
    assert {policy.get("local_disk") for policy in segments} == {None, "leave", "hold"}
    kinds = {kind for policy in segments for kinds in policy.get("dead_when", []) for kind in kinds}
    assert kinds == {"service_down", "power_off", "confirmed", "external"}
    ladders = [ladder for seed in SEEDS for ladder in draw(seed)[0].get("bmcs", {}).values()]
    assert {len(ladder) for ladder in ladders} == {1, 2, 3}
    words = {word for ladder in ladders for rung in ladder for word in rung}
    assert words == {"method", "time_limit", "after", "cuts", "says", "silent", "refuses", "answers_in"}


def test_the_worlds_are_mostly_small_and_every_fortieth_is_a_large_one() -> None:
    counts = [_instances(seed) for seed in SEEDS]
    assert sorted(counts)[len(counts) // 2] <= 4
    assert sum(count > 20 for count in counts) > len(SEEDS) / 50
    assert max(counts) > 100


def _instances(seed: int) -> int:
    hosts = draw(seed, large=True)[0]["hosts"].values()
    return sum(len(group["names"]) for about in hosts for group in (about or {}).get("instances", []))


def test_what_is_not_needed_to_break_a_promise_is_left_out() -> None:
    world, faults = draw(next(seed for seed in SEEDS if draw(seed)[0].get("bmcs")))
    needed = {"breakpoint": "vmove-closed", "nth": 1}
    faults |= {"kill": [needed, {"breakpoint": "instance-locked", "nth": 1}]}

    def breaks(world: Data, faults: Data) -> bool:
        return "failing1" in world["hosts"] and needed in faults.get("kill", [])

    smaller, fewer = shrink((world, faults), breaks)
    assert list(smaller["hosts"]) == ["failing1"]
    assert fewer == {"kill": [{"breakpoint": "vmove-closed", "nth": 1}]}
    assert smaller["happenings"] == []
    assert smaller["bmcs"] == {}
    assert "policy" not in smaller["segments"]["one"]


def test_a_death_that_is_left_in_is_reported() -> None:
    drawn = draw(next(seed for seed in SEEDS if draw(seed)[0]["happenings"]))

    def breaks(world: Data, faults: Data) -> bool:
        return any("kill_host" in happening for happening in world["happenings"])

    smaller, _ = shrink(drawn, breaks)
    (death, report) = smaller["happenings"]
    assert death["kill_host"] == report["notify"]


def test_a_world_in_which_hosts_are_forced_down_keeps_to_their_deaths() -> None:
    of_fenced_hosts = (draw(seed) for seed in SEEDS if draw(seed)[0]["settings"].get("force_down"))
    drawn = next(one for one in of_fenced_hosts if any("notify" in happening for happening in one[0]["happenings"]))

    def breaks(world: Data, faults: Data) -> bool:
        forced = bool(world["settings"].get("force_down"))
        return forced and any("notify" in happening for happening in world["happenings"])

    smaller, _ = shrink(drawn, breaks)
    (death, report) = smaller["happenings"]
    assert death["kill_host"] == report["notify"]


def test_two_breaches_are_of_one_kind_whatever_the_names_and_seconds() -> None:
    assert kinds(["failing1-2 ran on other1 and other2 at once"]) == kinds(
        ["failing2-1 ran on other3 and other1 at once"]
    )
