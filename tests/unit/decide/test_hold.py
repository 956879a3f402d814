"""What keeps a recovery, and what is said of it."""

from datetime import timedelta

from instance_ha.decide.hold import about, hold_unless_dead, incomplete_list, lost_disks
from instance_ha.models.evidence import DEAD_WHEN, Evidence, EvidenceKind

from tests.unit.build import NOW, notification
from tests.unit.decide.test_evidence import ALIVE, DOWN, seen, sets

FAILURE = notification(generated_time=NOW - timedelta(seconds=30), created_at=NOW - timedelta(seconds=20))
NOTHING: frozenset[EvidenceKind] = frozenset()
SERVICE = frozenset({EvidenceKind.SERVICE_DOWN})
UNTIL = NOW + timedelta(days=1)


def of(one: Evidence) -> list[Evidence]:
    """Keep it if it says something of the failure."""
    return about([one], FAILURE)


def test_a_host_that_is_proven_dead_is_not_held() -> None:
    assert hold_unless_dead("compute1", [DOWN], DEAD_WHEN, NOTHING, NOW) is None


def test_what_the_recovery_itself_brings_is_not_waited_for() -> None:
    assert hold_unless_dead("compute1", [], DEAD_WHEN, SERVICE, NOW) is None


def test_what_else_is_missing_holds_and_is_named() -> None:
    held = hold_unless_dead("compute1", [], sets("service_down confirmed"), SERVICE, NOW)
    assert held is not None
    assert held.message(UNTIL) == (
        "held: compute1 is not proven dead; it goes on when an operator confirms that it is dead "
        "(openstack ha evidence confirm), and is given up at 2026-11-23 03:00 UTC"
    )


def test_a_sign_of_life_holds_and_is_named_and_is_checked_again_when_it_expires() -> None:
    held = hold_unless_dead("compute1", [DOWN, ALIVE], DEAD_WHEN, SERVICE, NOW)
    assert held is not None
    assert "compute1 shows signs of life by libvirt" in held.reason
    assert held.check_at == ALIVE.valid_until


def test_a_hold_is_checked_again_within_a_minute() -> None:
    held = hold_unless_dead("compute1", [seen("libvirt", "alive", lasts=3600)], DEAD_WHEN, SERVICE, NOW)
    assert held is not None
    assert held.check_at == NOW + timedelta(seconds=60)


def test_a_sign_of_life_from_before_the_failure_refutes_nothing() -> None:
    assert of(seen("networks", "alive", ago=31)) == []
    later = seen("networks", "alive", ago=29)
    assert of(later) == [later]


def test_what_was_confirmed_for_another_failure_proves_nothing() -> None:
    assert of(seen("confirmed", "dead")) == []
    assert of(seen("power_off", "dead", notification_uuid="other")) == []
    ours = seen("confirmed", "dead", notification_uuid=FAILURE.notification_uuid)
    assert of(ours) == [ours]


def test_evidence_of_death_from_before_the_report_counts_while_it_is_fresh() -> None:
    early = seen("external", "dead", ago=50)
    assert of(early) == [early]


def test_a_list_that_is_not_complete_is_asked_for_again_soon() -> None:
    held = incomplete_list("Nova lists 0 servers on compute1, but knows of 4 there", NOW)
    assert (held.check_at - NOW).total_seconds() == 5


def test_of_many_lost_disks_ten_are_named() -> None:
    assert "12 instances" in lost_disks([f"vm-{n}" for n in range(12)], NOW).reason
    assert lost_disks([f"vm-{n}" for n in range(12)], NOW).reason.endswith("vm-9 and 2 more")
