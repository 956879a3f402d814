"""Each gate closes for one reason, and what an operator has approved it does not hold."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide import gates
from instance_ha.decide.gates import GateLimits, GateResult, Threshold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.gates import (
    Approval,
    ApprovalVerdict,
    FailedHost,
    Gate,
    GateVerdict,
    Mode,
    Pause,
    Scope,
    Seen,
)
from instance_ha.models.readiness import CapacitySeen, Fit
from instance_ha.models.uuids import NotificationUuid

from tests.unit.build import NOW

LIMITS = GateLimits(
    storm_segment=Threshold(3, 0.4),
    storm_cloud=Threshold(5, 0.2),
    peers=Threshold(3, 0.5),
    capacity_holds=True,
    capacity_max_age=timedelta(hours=1),
    rate=20,
    rate_window=timedelta(minutes=10),
    recoveries_per_day=3,
)
QUIET = Seen(segment_hosts=10, cloud_hosts=100, failed=(), begun=0, finished=0)
PAUSE = Pause(uuid="p", created_at=NOW, scope=Scope.CLOUD, reason="switch", until=NOW + timedelta(hours=1), actor="ada")
HELD = GateResult(Gate.RATE, {}, "too many", "some time has passed")


def failed(number: int, *, in_segment: bool = True) -> tuple[FailedHost, ...]:
    """So many hosts that fail now."""
    return tuple(FailedHost(name=f"compute{n}", in_segment=in_segment, reported_at=NOW) for n in range(number))


def compute(host: str, *, up: bool | None) -> ServiceState:
    """The nova-compute of a host."""
    return ServiceState(binary="nova-compute", host=host, up=up)


def controller(kind: str, *, up: bool | None) -> ServiceState:
    """A service of the controller."""
    return ServiceState(binary=kind, host="controller", up=up)


def said(verdict: ApprovalVerdict, *opened: Gate) -> Approval:
    """What an operator has said."""
    uuid = NotificationUuid("n")
    return Approval(created_at=NOW, notification_uuid=uuid, verdict=verdict, gates=opened, reason="why", actor="ada")


def test_a_pause_holds_until_it_ends_and_says_by_whom_and_why() -> None:
    result = gates.pause([PAUSE, replace(PAUSE, until=NOW + timedelta(hours=2), actor=None)])
    assert result.reason == "cloud paused by ada: switch; cloud paused by nobody known: switch"
    assert result.released_by == "the pause ends, at 2026-11-22 05:00 UTC or before (openstack ha unpause)"
    assert result.until == NOW + timedelta(hours=2)
    assert gates.pause([]).reason is None


@pytest.mark.parametrize(("mode", "holds"), [(Mode.AUTO, False), (Mode.APPROVE, True), (Mode.OBSERVE, False)])
def test_only_the_mode_approve_asks_an_operator(mode: Mode, holds: bool) -> None:
    assert (gates.approval(mode).reason is not None) is holds


@pytest.mark.parametrize(
    ("number", "hosts", "is_storm"),
    [(1, 1, False), (1, 2, False), (2, 2, False), (2, 3, False), (3, 3, True), (3, 8, False), (4, 10, True)],
)
def test_a_storm_of_a_segment_is_a_share_of_it_and_at_least_three(number: int, hosts: int, is_storm: bool) -> None:
    seen = replace(QUIET, segment_hosts=hosts, failed=failed(number))
    assert (gates.storm_segment(seen, LIMITS).reason is not None) is is_storm


def test_hosts_of_other_segments_are_no_storm_of_this_one_but_of_the_cloud() -> None:
    seen = replace(QUIET, cloud_hosts=20, failed=failed(5, in_segment=False))
    assert gates.storm_segment(seen, LIMITS).reason is None
    assert gates.storm_cloud(seen, LIMITS).reason == "5 of 20 hosts of all segments have failed at once"


@given(hosts=st.integers(1, 200), number=st.integers(0, 200), more=st.integers(0, 50))
def test_more_failures_never_end_a_storm_and_two_never_are_one(hosts: int, number: int, more: int) -> None:
    def holds(failures: int) -> bool:
        seen = replace(QUIET, segment_hosts=hosts, failed=failed(failures))
        return gates.storm_segment(seen, LIMITS).reason is not None

    assert not holds(min(number, 2))
    assert holds(number + more) or not holds(number)


def test_a_number_of_nought_opens_a_gate_for_good() -> None:
    off = GateLimits(
        storm_segment=Threshold(0, 0.4),
        storm_cloud=Threshold(0, 0.4),
        peers=Threshold(0, 0.5),
        capacity_holds=False,
        capacity_max_age=timedelta(hours=1),
        rate=0,
        rate_window=timedelta(minutes=10),
        recoveries_per_day=0,
    )
    seen = replace(QUIET, failed=failed(10), begun=1000, finished=1000)
    down = [compute(f"compute{n}", up=False) for n in range(10)]
    results = [gate(seen, off) for gate in (gates.storm_segment, gates.storm_cloud, gates.rate, gates.flapping)]
    results.append(gates.peers(down, {one.host for one in down}, off))
    assert [one.reason for one in results] == [None] * 5


def test_a_host_that_nova_still_calls_up_long_after_its_report_does_not_fail() -> None:
    seen, patience = replace(QUIET, failed=failed(3)), timedelta(seconds=180)
    services = [compute("compute0", up=True), compute("compute1", up=False), compute("compute0", up=False)]
    later = NOW + timedelta(seconds=181)
    assert len(gates.without_alive(seen, services, NOW + patience, patience).failed) == 3
    left = gates.without_alive(seen, services, later, patience).failed
    assert [one.name for one in left] == ["compute1", "compute2"]  # that Nova does not know may be dead


def test_recoveries_beyond_the_rate_wait() -> None:
    assert gates.rate(replace(QUIET, begun=19), LIMITS).reason is None
    assert gates.rate(replace(QUIET, begun=20), LIMITS).reason == "20 recoveries of hosts have begun within 600 s"


def test_a_host_that_fails_the_fourth_time_within_a_day_is_in_quarantine() -> None:
    assert gates.flapping(replace(QUIET, finished=2), LIMITS).reason is None
    result = gates.flapping(replace(QUIET, finished=3), LIMITS)
    assert result.reason == "its host has failed 4 times within a day: it is in quarantine"


def test_without_a_scheduler_or_a_conductor_nova_can_evacuate_nothing() -> None:
    one = [controller("nova-scheduler", up=True), controller("nova-conductor", up=False)]
    assert gates.cloud_health(one).reason == "no nova-conductor is up"
    assert gates.cloud_health([*one, controller("nova-conductor", up=True)]).reason is None
    unknown = [controller("nova-scheduler", up=None), controller("nova-conductor", up=True)]
    assert gates.cloud_health(unknown).reason == "no nova-scheduler is up"


def test_a_nova_that_lists_no_controllers_is_asked_all_the_same() -> None:
    assert gates.cloud_health([compute("compute1", up=True)]).reason is None


def test_peers_that_are_down_hold_and_those_that_nova_does_not_know_do_not_count() -> None:
    names = {"a", "b", "c", "d", "e", "f", "unknown"}
    services = [compute(name, up=name in "def") for name in "abcdef"]
    assert gates.peers(services, names, LIMITS).reason == "Nova calls 3 of the 6 other hosts of its segment down"
    assert gates.peers([*services, compute("a", up=True)], names, LIMITS).reason is None
    assert gates.peers([compute(name, up=None) for name in "abcdef"], names, LIMITS).reason is None
    assert gates.peers(services, {"a", "b", "d"}, LIMITS).reason is None


def test_an_approval_opens_the_gates_that_it_names_and_no_other() -> None:
    approved = gates.approved([said(ApprovalVerdict.APPROVE, Gate.RATE)])
    other = GateResult(Gate.PEERS, {}, "down", "up")
    assert gates.verdict(HELD, approved) is GateVerdict.APPROVED
    assert gates.verdict(other, approved) is GateVerdict.HELD
    assert gates.hold([HELD], approved, NOW) is None
    held = gates.hold([HELD, other], approved, NOW)
    assert held is not None
    assert held.reason == "peers: down"


def test_a_denial_opens_nothing() -> None:
    denied = [said(ApprovalVerdict.DENY, Gate.RATE)]
    assert gates.approved(denied) == frozenset()
    assert gates.denial(denied) == "denied by ada: why"
    assert gates.denial([said(ApprovalVerdict.APPROVE)]) is None


def test_all_gates_that_hold_are_named_and_the_first_to_open_is_checked_then() -> None:
    held = gates.hold([HELD, replace(HELD, gate=Gate.PAUSE, until=NOW + timedelta(seconds=5))], (), NOW)
    assert held is not None
    assert held.reason == "rate: too many; pause: too many"
    assert (
        held.released_by
        == "some time has passed and some time has passed, or an operator approves it (openstack ha approve)"
    )
    assert held.check_at == NOW + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("seen", "holds", "reason"),
    [
        (None, True, None),
        (
            CapacitySeen(NOW, Fit.LEFT_OVER, ("a", "b")),
            True,
            "2 of its instances fit on no other host, as was found at 03:00 UTC",
        ),
        (CapacitySeen(NOW, Fit.LEFT_OVER, ("a", "b")), False, None),
        (CapacitySeen(NOW, Fit.MAY_FIT, ()), True, None),
        (CapacitySeen(NOW - timedelta(hours=2), Fit.LEFT_OVER, ("a",)), True, None),
    ],
)
def test_capacity_holds_only_where_that_is_asked_for_and_freshly_known(
    seen: CapacitySeen | None, holds: bool, reason: str | None
) -> None:
    result = gates.capacity(seen, NOW, replace(LIMITS, capacity_holds=holds))
    assert result.reason == reason


def test_the_decision_log_says_how_many_are_left_over_although_nothing_is_held() -> None:
    seen = CapacitySeen(NOW, Fit.LEFT_OVER, ("a", "b"))
    saw = gates.capacity(seen, NOW, replace(LIMITS, capacity_holds=False)).saw
    assert (saw["left_over"], saw["fit"]) == (2, "left_over")
