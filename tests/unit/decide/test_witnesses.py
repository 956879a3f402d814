"""What each witness says of a host."""

from datetime import timedelta

import pytest
from instance_ha.decide import strategy, witnesses
from instance_ha.models.evidence import Evidence, EvidenceKind, Verdict
from instance_ha.models.guests import Domain
from instance_ha.models.health import NODE, Reading
from instance_ha.models.uuids import HostUuid, NotificationUuid

from tests.unit.build import NOW, notification, service

HOST, REPORT = HostUuid("host"), NotificationUuid("notification")
MINUTE = timedelta(seconds=60)


def networks(**readings: str) -> Evidence:
    """What monitor-poll says of a host with such readings."""
    vector = {network: Reading(reading) for network, reading in readings.items()}
    return witnesses.of_vector(HOST, REPORT, vector, strategy.default(list(vector)), NOW, MINUTE)


def hypervisor(domains: list[bool] | None) -> Evidence:
    """What monitor-guests says of a hypervisor with domains that run, or do not; None: it does not answer."""
    found = None if domains is None else [Domain(uuid=str(n), id=n, running=runs) for n, runs in enumerate(domains)]
    return witnesses.of_hypervisor(HOST, REPORT, found, NOW, MINUTE)


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ({"manage": "down", "storage": "down"}, "dead"),
        ({"manage": "up", "storage": "down"}, "dead"),
        ({"manage": "down", "storage": "up"}, "alive"),
        ({"manage": "unknown", "storage": "up"}, "alive"),
        ({"manage": "up", "storage": "up"}, "alive"),
        ({"manage": "up", "storage": "unknown"}, "unknown"),
        ({"manage": "down", "tenant": "up"}, "unknown"),
        ({"manage": "up"}, "alive"),
    ],
)
def test_a_host_lives_when_nothing_is_down_or_its_storage_network_is_up(readings: dict[str, str], verdict: str) -> None:
    assert networks(**readings).verdict is Verdict(verdict)
    assert networks(**readings).detail == readings


def test_a_node_of_kubernetes_is_a_kind_of_its_own() -> None:
    assert networks(**{NODE: "down"}).kind is EvidenceKind.NODE
    assert networks(manage="down").kind is EvidenceKind.NETWORKS


def test_a_hypervisor_that_answers_is_a_sign_of_life_only_when_domains_run() -> None:
    assert hypervisor([True, False]).verdict is Verdict.ALIVE
    assert hypervisor([False]).verdict is Verdict.UNKNOWN
    assert hypervisor([]).verdict is Verdict.UNKNOWN
    assert hypervisor(None).verdict is Verdict.DEAD


def test_a_hypervisor_that_could_not_be_asked_says_nothing() -> None:
    seen = witnesses.of_hypervisor(HOST, REPORT, None, NOW, MINUTE, "our certificate has expired")
    assert seen.verdict is Verdict.UNKNOWN
    assert seen.detail == {"answers": False, "domains_running": 0, "reason": "our certificate has expired"}


def test_that_nova_calls_a_service_up_is_no_sign_of_life() -> None:
    """It does so for a minute after the host has died."""
    assert witnesses.of_service(notification(), service(up=True), NOW).verdict is Verdict.UNKNOWN
    assert witnesses.of_service(notification(), service(up=False), NOW).verdict is Verdict.DEAD


def test_a_host_has_failed_at_the_latest_when_its_report_was_stored() -> None:
    ahead = notification(generated_time=NOW + timedelta(hours=1), created_at=NOW)
    assert witnesses.failed_at(ahead) == NOW
    assert witnesses.of_report(ahead, 60).valid_until == NOW + MINUTE
