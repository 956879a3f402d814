"""The fences against VirtualBMC and sushy-tools' emulator: the power that they cut is that of a guest of libvirt."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from instance_ha.fencing.file import IpmiMethod, RedfishMethod
from instance_ha.fencing.ipmi import Ipmi
from instance_ha.fencing.redfish import Redfish
from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power
from instance_ha_simulator.files import temporary_state_dir

from local.runtime import Options, Runtime, without_cloud
from tests.real import bmcs
from tests.real import guest as guests
from tests.real.conftest import part

UUID = "8d6e3c2a-0000-4000-8000-000000000011"
_PATIENCE = 60.0

libvirt = pytest.importorskip("libvirt", reason="file of libvirt (make test-real)")
pytest.importorskip("virtualbmc", reason="VirtualBMC (make test-real)")


@dataclass
class Place:
    """A libvirt with one guest, which plays a compute host, and its two BMCs."""

    folder: Path
    machine: guests.Machine
    virtual: bmcs.VirtualBmc
    redfish_url: str

    def ipmi(self, timeout: float = 10.0, password: str = bmcs.PASSWORD) -> Ipmi:
        """Return our way to VirtualBMC."""
        return Ipmi(IpmiMethod.model_validate(self.ipmi_rung(password)), timeout)

    def ipmi_rung(self, password: str = bmcs.PASSWORD) -> dict[str, Any]:
        """Return it as it stands in fencing.yaml."""
        login = {"username": bmcs.USERNAME, "password": password}
        return {"method": "ipmi", "address": "127.0.0.1", "port": self.virtual.port, **login}

    def redfish(self, password: str = bmcs.PASSWORD, certificates: str = "server") -> Redfish:
        """Return our way to the emulator."""
        given = {"method": "redfish", "address": self.redfish_url, "system": f"/redfish/v1/Systems/{UUID}"}
        given |= {"username": bmcs.USERNAME, "password": password}
        given |= {"ca_file": str(self.folder / certificates / "ca.pem")}
        return Redfish(RedfishMethod.model_validate(given), 10.0)

    def ipmitool(self, *command: str) -> str:
        """Return what ipmitool says."""
        said = bmcs.ipmitool(self.virtual.port, *command)
        assert said.returncode == 0, said.stderr
        return said.stdout.strip()

    @property
    def powers(self) -> tuple[Power, str, Power, bool]:
        """What we, ipmitool, the emulator and libvirt say of the power, each by itself."""
        said = self.ipmitool("chassis", "power", "status")
        return self.ipmi().power(), said, self.redfish().power(), self.machine.is_dead


ALL_SAY_ON = (Power.ON, "Chassis Power is on", Power.ON, False)
ALL_SAY_OFF = (Power.OFF, "Chassis Power is off", Power.OFF, True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A guest with its BMCs."""
    part("boot")  # the real tier is installed
    folder = tmp_path_factory.mktemp("bmcs")
    daemon = guests.Libvirtd(folder)
    with daemon.running():
        connection = _connect()
        machine = guests.Machine(connection, "compute1", UUID, folder)
        certificate, key = folder / "server" / "cert.pem", folder / "server" / "key.pem"
        with (
            bmcs.virtual_bmc(folder / "virtualbmc", guests.URI, "compute1") as virtual,
            bmcs.emulator(folder / "emulator", guests.URI, certificate, key) as url,
        ):
            yield Place(folder, machine, virtual, url)
        if machine.domain.isActive():
            machine.domain.destroy()
        connection.close()


def _connect() -> Any:
    libvirt.registerErrorHandler(lambda *_: None, None)
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return libvirt.open(guests.URI)
        except libvirt.libvirtError:
            assert time.monotonic() < until, "libvirtd does not listen"
            time.sleep(0.2)


@pytest.fixture
def place(served: Place) -> Place:
    """The guest, with power."""
    served.machine.start()
    assert served.powers == ALL_SAY_ON
    return served


def test_power_cut_by_ipmi_leaves_a_guest_that_libvirt_calls_dead(place: Place) -> None:
    assert place.ipmi().off() == "accepted"
    assert place.powers == ALL_SAY_OFF


def test_power_cut_by_redfish_leaves_a_guest_that_libvirt_calls_dead(place: Place) -> None:
    assert place.redfish().off() == "accepted"
    assert place.powers == ALL_SAY_OFF


def test_what_ipmitool_changes_we_see(place: Place) -> None:
    place.ipmitool("chassis", "power", "off")
    assert place.powers == ALL_SAY_OFF
    place.ipmitool("chassis", "power", "on")
    place.machine.start()  # it runs; this only learns its process
    assert place.powers == ALL_SAY_ON


def test_a_guest_that_is_off_already_stays_off_and_that_is_no_error(place: Place) -> None:
    place.machine.domain.destroy()
    assert place.ipmi().off() == "accepted"
    place.redfish().off()  # accepted or declined, as the emulator likes; refused and unavailable would raise
    assert place.powers == ALL_SAY_OFF


def test_a_wrong_password_is_refused_and_nothing_is_cut(place: Place) -> None:
    with pytest.raises(FenceRefused, match="refuses the login"):
        place.ipmi(password="another-password").off()
    assert bmcs.ipmitool(place.virtual.port, "chassis", "power", "off", password="another-password").returncode != 0
    with pytest.raises(FenceRefused, match="401"):
        place.redfish(password="another-password").off()
    assert place.powers == ALL_SAY_ON


def test_a_bmc_whose_certificate_is_of_a_stranger_is_refused(place: Place) -> None:
    with pytest.raises(FenceRefused, match="certificate is not trusted"):
        place.redfish(certificates="stranger").off()
    assert place.powers == ALL_SAY_ON


def test_a_bmc_that_is_stopped_before_it_is_asked_cuts_nothing_and_holds_nobody(place: Place) -> None:
    place.virtual.stop()
    try:
        _assert_unavailable(place)
        assert place.redfish().power() is Power.ON
    finally:
        place.virtual.start()
    assert place.powers == ALL_SAY_ON


def test_a_bmc_that_is_stopped_after_it_was_asked_leaves_the_power_unknown_until_it_answers_again(place: Place) -> None:
    assert place.ipmi().off() == "accepted"
    place.virtual.stop()
    try:
        _assert_unavailable(place)
        assert place.machine.is_dead
    finally:
        place.virtual.start()
    assert place.powers == ALL_SAY_OFF


def test_a_bmc_that_stands_still_is_no_answer_and_what_was_given_up_is_not_done_when_it_goes_on(place: Place) -> None:
    with place.virtual.frozen():
        _assert_unavailable(place)
    assert place.powers == ALL_SAY_ON


def _assert_unavailable(place: Place) -> None:
    for ask in (place.ipmi(timeout=2).power, place.ipmi(timeout=2).off):
        begun = time.monotonic()
        with pytest.raises(FenceUnavailable):
            ask()
        assert time.monotonic() - begun < 4


@contextmanager
def _installation(folder: Path, rung: dict[str, Any]) -> Iterator[Runtime]:
    """The whole product on a simulated cloud, whose compute1 has a real BMC."""
    import yaml

    file = folder / "fencing.yaml"
    file.write_text(yaml.safe_dump({"hosts": [{"match": "compute1", "ladder": [rung]}]}))
    settings = {"auth_strategy": "noauth2", "fencing_file": str(file)}
    environ = without_cloud(os.environ)
    with (
        temporary_state_dir() as state,
        Runtime(Options(state, port=0, durable=False, settings=settings, environ=environ)) as runtime,
    ):
        for host in ("compute1", "compute2"):
            runtime.cloud.add_host(host)
        yield runtime


def _request(runtime: Runtime, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = requests.request(method, f"{runtime.url}/v1/{path}", json=body, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def _await_finished(runtime: Runtime, notification: str) -> None:
    until, found = time.monotonic() + _PATIENCE, {"status": "new"}
    while found["status"] in {"new", "running"}:
        assert time.monotonic() < until, found
        time.sleep(0.2)
        found = _request(runtime, "GET", f"notifications/{notification}")["notification"]
    assert found["status"] == "finished", found


def test_no_instance_is_evacuated_before_the_real_guest_is_dead(place: Place, tmp_path: Path) -> None:
    with _installation(tmp_path, place.ipmi_rung()) as runtime:
        segment = {"segment": {"name": "one", "recovery_method": "auto", "service_type": "COMPUTE"}}
        uuid = _request(runtime, "POST", "segments", segment)["segment"]["uuid"]
        for name in ("compute1", "compute2"):
            host = {"host": {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}}
            _request(runtime, "POST", f"segments/{uuid}/hosts", host)
        policy = {"policy": {"fence": "required", "dead_when": [["power_off", "service_down"]]}}
        _request(runtime, "PUT", f"x-instance-ha/policies/{uuid}", policy)
        (server,) = runtime.cloud.boot("compute1", 1)
        runtime.cloud.kill_host("compute1")
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        report = {"type": "COMPUTE_HOST", "hostname": "compute1", "generated_time": now, "payload": payload}
        made = _request(runtime, "POST", "notifications", {"notification": report})["notification"]
        _await_finished(runtime, made["notification_uuid"])
        asked = [(request.server_id, request.time) for request in runtime.cloud.evacuation_requests]
    assert place.powers == ALL_SAY_OFF
    ((moved, at),) = asked
    assert moved == server.id
    assert place.machine.died_at < at
