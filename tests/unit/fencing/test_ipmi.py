"""IPMI, against a server of its own, over a network that loses packets."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from instance_ha.fencing.file import IpmiMethod
from instance_ha.fencing.ipmi import Ipmi
from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power
from pyghmi.ipmi.private import session

from tests.bmc import PASSWORD, USERNAME, IpmiService, ipmi, lossy, network

NOTHING = 10**9  # of so many packets the last one is let through


def client(port: int, timeout: float = 20.0, password: str = PASSWORD) -> Ipmi:
    """Make a method for a BMC on this machine."""
    given = {"method": "ipmi", "address": "127.0.0.1", "port": port, "username": USERNAME, "password": password}
    return Ipmi(IpmiMethod.model_validate(given), timeout)


@pytest.fixture
def service() -> Iterator[IpmiService]:
    """A BMC."""
    with ipmi() as serving:
        yield serving


def test_power_is_cut_and_seen_to_be_off(service: IpmiService) -> None:
    bmc = client(service.port)
    assert bmc.power() is Power.ON
    assert bmc.off() == "accepted"
    assert bmc.power() is Power.OFF
    assert service.next_change == "off"


def test_a_host_that_is_off_already_is_no_error(service: IpmiService) -> None:
    bmc = client(service.port)
    assert [bmc.off(), bmc.off()] == ["accepted", "accepted"]
    assert bmc.power() is Power.OFF


def test_every_second_packet_is_enough(service: IpmiService) -> None:
    with lossy(service.port, every=2) as port:
        bmc = client(port)
        assert bmc.off() == "accepted"
        assert bmc.power() is Power.OFF
    assert service.next_change == "off"


def test_a_wrong_password_is_refused(service: IpmiService) -> None:
    with pytest.raises(FenceRefused, match="refuses the login"):
        client(service.port, password="another-password").off()


def test_a_silent_bmc_holds_nobody_longer_than_the_limit() -> None:
    with lossy(9, every=NOTHING) as port:
        began = time.monotonic()
        with pytest.raises(FenceUnavailable):
            client(port, timeout=1).power()
        assert time.monotonic() - began < 3


def test_a_question_that_was_given_up_does_not_spoil_the_next(service: IpmiService) -> None:
    with network(service.port, every=NOTHING) as between:
        for _ in range(3):
            with pytest.raises(FenceUnavailable):
                client(between.port, timeout=0.5).power()
            between.every = 1
            assert client(between.port).power() is Power.ON
            between.every = NOTHING


def test_nothing_is_sent_after_a_question_was_given_up(service: IpmiService) -> None:
    with network(service.port, every=NOTHING) as between:
        with pytest.raises(FenceUnavailable):
            client(between.port, timeout=1).off()
        heard, between.every = between.heard, 1
        assert client(service.port).power() is Power.ON  # pyghmi works for all its sessions while one waits
        time.sleep(4)  # in which it would have been sent again
        assert between.heard == heard
        assert client(service.port).power() is Power.ON


def test_who_reads_packets_neither_waits_nor_changes_whether_their_senders_do() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert session._io_recvfrom(silent, 100) is None
        assert silent.getblocking()


def test_bmcs_that_are_asked_at_once_all_answer(service: IpmiService) -> None:
    with ipmi() as second, ipmi() as third, ThreadPoolExecutor(6) as pool:
        ports = [one.port for one in (service, second, third)] * 8
        assert set(pool.map(lambda port: client(port).power(), ports)) == {Power.ON}
