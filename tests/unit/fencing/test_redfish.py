"""Redfish: every answer that real BMCs are known for."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from instance_ha.fencing.file import RedfishMethod
from instance_ha.fencing.redfish import Redfish
from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power

from tests.bmc import PASSWORD, USERNAME, Machine, RedfishService, certificate, redfish

TIMEOUT = 3.0


def client(service: RedfishService, timeout: float = TIMEOUT, **more: object) -> Redfish:
    """Make a method for what the service has."""
    given = {"method": "redfish", "address": service.url, "username": USERNAME, "password": PASSWORD, **more}
    return Redfish(RedfishMethod.model_validate(given), timeout)


@pytest.fixture
def machine() -> Machine:
    """A computer that is on."""
    return Machine()


@pytest.fixture
def service(machine: Machine) -> Iterator[RedfishService]:
    """A BMC of one computer."""
    with redfish(RedfishService({"1": machine})) as serving:
        yield serving


def test_power_is_cut_and_seen_to_be_off(service: RedfishService, machine: Machine) -> None:
    bmc = client(service)
    assert bmc.power() is Power.ON
    assert bmc.off() == "accepted"
    assert bmc.power() is Power.OFF
    assert machine.asked == ["ForceOff"]


def test_an_accepted_request_says_nothing_of_the_power(service: RedfishService, machine: Machine) -> None:
    machine.delay = 0.5
    bmc = client(service)
    assert bmc.off() == "accepted"
    assert bmc.power() is Power.ON
    time.sleep(0.6)
    assert bmc.power() is Power.OFF


@pytest.mark.parametrize("status", [400, 409])
def test_a_system_that_is_off_already_is_no_error(service: RedfishService, machine: Machine, status: int) -> None:
    machine.is_on, service.when_off = False, status
    bmc = client(service)
    assert bmc.off().startswith(f"declined: {status}")
    assert bmc.power() is Power.OFF


def test_what_the_bmc_says_is_told_as_it_is(service: RedfishService, machine: Machine) -> None:
    machine.said = ["Off", "On", "PoweringOff", "Paused", "", "Off"]
    bmc = client(service, system="/redfish/v1/Systems/1")  # without it each question reads the system twice
    said = [bmc.power() for _ in range(6)]
    assert said == [Power.OFF, Power.ON, Power.ON, Power.ON, Power.UNKNOWN, Power.OFF]


def test_a_wrong_password_is_refused_at_once(service: RedfishService, machine: Machine) -> None:
    service.password = "another-password"
    bmc = client(service)
    for question in (bmc.off, bmc.power):
        with pytest.raises(FenceRefused, match="401"):
            question()
    assert machine.asked == []


def test_a_password_that_changes_after_the_request_is_told(service: RedfishService, machine: Machine) -> None:
    bmc = client(service)
    assert bmc.off() == "accepted"
    service.password = "another-password"
    with pytest.raises(FenceRefused, match="401"):
        bmc.power()
    assert machine.asked == ["ForceOff"]


def test_a_frozen_bmc_holds_nobody_longer_than_the_limit(service: RedfishService) -> None:
    service.silent = True
    began = time.monotonic()
    with pytest.raises(FenceUnavailable, match="time"):
        client(service, timeout=0.5).power()
    assert time.monotonic() - began < 3


def test_a_bmc_that_freezes_midway_is_unavailable(service: RedfishService) -> None:
    bmc = client(service, timeout=0.5)
    service.silent_after = 3  # the root, the list of systems and the system are told, the change is not answered
    with pytest.raises(FenceUnavailable, match="time"):
        bmc.off()


def test_two_systems_behind_one_service_need_a_name() -> None:
    machines = {"1": Machine(), "2": Machine()}
    with redfish(RedfishService(machines)) as service:
        with pytest.raises(FenceRefused, match="name it"):
            client(service).off()
        assert client(service, system="/redfish/v1/Systems/2").off() == "accepted"
    assert [machine.asked for machine in machines.values()] == [[], ["ForceOff"]]


def test_an_unknown_system_is_refused(service: RedfishService) -> None:
    with pytest.raises(FenceRefused, match="404"):
        client(service, system="/redfish/v1/Systems/9").power()


def test_a_bmc_that_cannot_cut_the_power_is_asked_for_nothing_else(service: RedfishService, machine: Machine) -> None:
    service.reset_types = ("On", "GracefulShutdown", "ForceRestart")
    with pytest.raises(FenceRefused, match="ForceOff"):
        client(service).off()
    assert machine.asked == []


def test_a_bmc_with_troubles_of_its_own_is_unavailable(service: RedfishService) -> None:
    service.refuses = 503
    with pytest.raises(FenceUnavailable, match="503"):
        client(service).off()


def test_a_bmc_that_is_not_there_is_unavailable() -> None:
    with redfish(RedfishService({})) as service:
        pass
    with pytest.raises(FenceUnavailable, match="reached"):
        client(service).power()


class TestOverTls:
    """Over TLS, as BMCs are."""

    @staticmethod
    def serving(certificate: Path) -> ssl.SSLContext:
        """Serve with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    def test_a_certificate_that_is_known_is_believed(self, tmp_path: Path) -> None:
        file = certificate(tmp_path, valid_days=2)
        with redfish(RedfishService({"1": Machine()}), self.serving(file)) as service:
            assert client(service, ca_file=str(file)).power() is Power.ON

    def test_a_certificate_that_has_expired_is_not(self, tmp_path: Path) -> None:
        file = certificate(tmp_path, valid_days=-1)
        machine = Machine()
        with redfish(RedfishService({"1": machine}), self.serving(file)) as service:
            with pytest.raises(FenceRefused, match="expired"):
                client(service, ca_file=str(file)).off()
            assert client(service, verify=False).power() is Power.ON
        assert machine.asked == []

    def test_a_certificate_of_another_is_not(self, tmp_path: Path) -> None:
        file = certificate(tmp_path, valid_days=2)
        service = RedfishService({"1": Machine()})
        with redfish(service, self.serving(file)), pytest.raises(FenceRefused, match="certificate"):
            client(service).power()

    @pytest.mark.parametrize("name", ["not-there.pem", "."])
    def test_certificates_that_cannot_be_read_are_named(self, tmp_path: Path, name: str) -> None:
        machine = Machine()
        with redfish(RedfishService({"1": machine}), self.serving(certificate(tmp_path, valid_days=2))) as service:
            for ask in (
                client(service, ca_file=str(tmp_path / name)).off,
                client(service, ca_file=str(tmp_path / name)).power,
            ):
                with pytest.raises(FenceRefused, match="certificate"):
                    ask()
        assert machine.asked == []
