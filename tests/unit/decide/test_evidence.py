"""Whether a host is dead: what proves it, what refutes it, and what never can."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.evidence import Missing, Proven, Refuted, decide, how_to_get
from instance_ha.models.evidence import DEAD_WHEN, Evidence, EvidenceKind, Verdict
from instance_ha.models.uuids import HostUuid

from tests.unit.build import NOW

DECISIVE = {EvidenceKind.POWER_OFF, EvidenceKind.CONFIRMED}


def seen(kind: str, verdict: str, *, ago: float = 0, lasts: float = 60, source: str = "s", **about: Any) -> Evidence:
    """Evidence that was seen so many seconds ago."""
    at = NOW - timedelta(seconds=ago)
    return Evidence(
        host_uuid=HostUuid("host"),
        kind=EvidenceKind(kind),
        verdict=Verdict(verdict),
        source=source,
        seen_at=at,
        valid_until=at + timedelta(seconds=lasts),
        **about,
    )


def sets(*kinds: str) -> tuple[frozenset[EvidenceKind], ...]:
    """Write a policy; the kinds of a set are parted by blanks."""
    return tuple(frozenset(EvidenceKind(kind) for kind in one.split()) for one in kinds)


DOWN = seen("service_down", "dead")
ALIVE = seen("libvirt", "alive")


def test_by_default_nova_s_service_that_is_down_proves_it() -> None:
    assert decide([DOWN], DEAD_WHEN, NOW) == Proven((DOWN,))


def test_without_evidence_all_sets_are_missing() -> None:
    policy = sets("service_down power_off", "confirmed")
    assert decide([], policy, NOW) == Missing(policy)


def test_one_whole_set_suffices() -> None:
    confirmed = seen("confirmed", "dead")
    assert decide([confirmed], sets("service_down power_off", "confirmed"), NOW) == Proven((confirmed,))


def test_parts_of_two_sets_prove_nothing() -> None:
    policy = sets("service_down power_off", "networks external")
    assert decide([DOWN, seen("networks", "dead")], policy, NOW) == Missing(sets("power_off", "external"))


def test_a_host_whose_hypervisor_answers_is_not_dead() -> None:
    assert decide([DOWN, ALIVE], DEAD_WHEN, NOW) == Refuted((ALIVE,))


@pytest.mark.parametrize("kind", sorted(DECISIVE))
def test_a_sign_of_life_is_outvoted_by(kind: str) -> None:
    sure = seen(kind, "dead")
    assert decide([DOWN, ALIVE, sure], DEAD_WHEN, NOW) == Proven((DOWN, sure))


def test_a_confirmed_death_is_still_not_what_the_policy_asks_for() -> None:
    assert decide([ALIVE, seen("confirmed", "dead")], DEAD_WHEN, NOW) == Missing(DEAD_WHEN)


def test_a_machine_that_answers_after_its_power_was_off_is_not_dead() -> None:
    """It is another machine that was switched off, or this one is on again."""
    off = seen("power_off", "dead", ago=10)
    assert decide([DOWN, off, seen("libvirt", "alive", ago=11)], DEAD_WHEN, NOW) == Proven((DOWN, off))
    later = seen("libvirt", "alive", ago=9)
    assert decide([DOWN, off, later], DEAD_WHEN, NOW) == Refuted((later,))


def test_the_readings_of_networks_lag_behind_a_fence() -> None:
    off = seen("power_off", "dead", ago=10)
    assert isinstance(decide([DOWN, off, seen("networks", "alive", ago=5)], DEAD_WHEN, NOW), Proven)


def test_evidence_expires() -> None:
    assert decide([seen("service_down", "dead", ago=60)], DEAD_WHEN, NOW) == Missing(DEAD_WHEN)
    assert decide([DOWN, seen("libvirt", "alive", ago=60)], DEAD_WHEN, NOW) == Proven((DOWN,))


def test_what_a_source_no_longer_says_does_not_count() -> None:
    said = [seen("power_off", "dead", ago=5), seen("power_off", "unknown", ago=1)]
    assert isinstance(decide(said, sets("power_off"), NOW), Missing)
    assert isinstance(decide(reversed(said), sets("power_off"), NOW), Missing)


def test_a_sign_of_life_is_not_taken_back_by_the_same_source_before_it_expires() -> None:
    """A hypervisor that answered and then does not may have lost its network only."""
    said = [DOWN, seen("libvirt", "alive", ago=5), seen("libvirt", "dead", ago=1)]
    assert isinstance(decide(said, DEAD_WHEN, NOW), Refuted)


def test_what_is_missing_is_said_with_the_way_to_get_it() -> None:
    said = how_to_get(Missing(sets("power_off service_down", "confirmed")))
    assert said == (
        "its power is seen to be off and Nova calls its compute service down, "
        "or an operator confirms that it is dead (openstack ha evidence confirm)"
    )


KINDS = st.sampled_from(EvidenceKind)
FOUND = st.builds(
    seen,
    KINDS,
    st.sampled_from(Verdict),
    ago=st.integers(0, 90),
    lasts=st.integers(0, 90),
    source=st.sampled_from(["a", "b"]),
)
FOUNDS = st.lists(FOUND, max_size=8)
POLICIES = st.lists(st.frozensets(KINDS, min_size=1, max_size=3), min_size=1, max_size=3)


@given(FOUNDS, POLICIES, st.lists(FOUND.filter(lambda one: one.verdict is Verdict.DEAD), max_size=4))
def test_more_evidence_of_death_never_refutes(
    found: list[Evidence], policy: list[frozenset[EvidenceKind]], more: list[Evidence]
) -> None:
    order = {Refuted: 0, Missing: 1, Proven: 2}
    assert order[type(decide(found + more, policy, NOW))] >= order[type(decide(found, policy, NOW))]


@given(FOUNDS, POLICIES)
def test_a_fresh_sign_of_life_is_never_outvoted_without_power_off_or_confirmed(
    found: list[Evidence], policy: list[frozenset[EvidenceKind]]
) -> None:
    fresh = [one for one in found if one.is_fresh(NOW)]
    decisive = any(one.kind in DECISIVE and one.verdict is Verdict.DEAD for one in fresh)
    if any(one.verdict is Verdict.ALIVE for one in fresh) and not decisive:
        assert isinstance(decide(found, policy, NOW), Refuted)


@given(FOUNDS, POLICIES)
def test_what_has_expired_changes_nothing(found: list[Evidence], policy: list[frozenset[EvidenceKind]]) -> None:
    fresh = [one for one in found if one.is_fresh(NOW)]
    assert decide(found, policy, NOW) == decide(fresh, policy, NOW)


@given(FOUNDS, POLICIES)
def test_no_death_is_proven_without_a_whole_set_of_fresh_evidence(
    found: list[Evidence], policy: list[frozenset[EvidenceKind]]
) -> None:
    decision = decide(found, policy, NOW)
    if isinstance(decision, Proven):
        assert all(one.is_fresh(NOW) and one.verdict is Verdict.DEAD for one in decision.by)
        assert any(needed <= {one.kind for one in decision.by} for needed in policy)


@given(FOUNDS, POLICIES)
def test_whatever_is_missing_is_what_proves_it(found: list[Evidence], policy: list[frozenset[EvidenceKind]]) -> None:
    decision = decide(found, policy, NOW)
    if isinstance(decision, Missing):
        for needed in decision.what:
            brought = [seen(kind, "dead", source="new") for kind in needed]
            assert isinstance(decide(found + brought, policy, NOW), Proven)


def test_no_two_kinds_that_decide_nothing_outvote_a_sign_of_life() -> None:
    weak = [seen(kind, "dead") for kind in EvidenceKind if kind not in DECISIVE]
    for two in combinations(weak, 2):
        policy = [frozenset(one.kind for one in two)]
        assert isinstance(decide([*two, seen("node", "alive")], policy, NOW), Refuted)
