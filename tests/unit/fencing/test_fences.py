"""The ladders of all hosts, read from the file as it is now."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from instance_ha.fencing.fences import FileFences
from instance_ha.models.errors import FenceRefused, FenceUnavailable, Misconfigured
from instance_ha.models.fencing import Power, Rung
from instance_ha.triggers import signature
from instance_ha.triggers.codec import read
from instance_ha.world import SystemClock
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session

from tests.bmc import USERNAME, Machine, RedfishService, http, redfish

KEY = b"a-key-for-tasks-of-others"
REDFISH = """
hosts:
- match: compute-1
  ladder:
  - {{method: redfish, address: {url}, username: {user}, password: {password}, time_limit: 30}}
  - {{method: ironic, time_limit: 90}}
"""


def no_ironic() -> Adapter:
    """Be no Ironic."""
    raise AssertionError("Ironic is not asked")


def fences(path: Path | None, keys: tuple[bytes, ...] = (KEY,)) -> FileFences:
    """Make what functions have."""
    return FileFences(path, 3, keys, no_ironic)


def test_without_a_file_no_host_can_be_fenced() -> None:
    assert fences(None).ladder("compute-1") == ()


def test_a_ladder_has_the_methods_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "fencing.yaml"
    path.write_text(REDFISH.format(url="https://192.0.2.1", user=USERNAME, password="a-long-password"))
    ladder = fences(path).ladder("compute-1")
    assert ladder == (Rung(0, "redfish", "https://192.0.2.1", 30), Rung(1, "ironic", "node compute-1", 90))
    assert fences(path).ladder("compute-2") == ()


def test_a_password_that_is_changed_in_the_file_counts_from_the_next_question_on(tmp_path: Path) -> None:
    path = tmp_path / "fencing.yaml"
    with redfish(RedfishService({"1": Machine()})) as service:
        path.write_text(REDFISH.format(url=service.url, user=USERNAME, password=service.password))
        both = fences(path)
        rung = both.ladder("compute-1")[0]
        assert both.method("compute-1", rung, SystemClock().now()).off() == "accepted"
        service.password = "the-password-of-today"
        with pytest.raises(FenceRefused):
            both.method("compute-1", rung, SystemClock().now()).power()
        path.write_text(REDFISH.format(url=service.url, user=USERNAME, password=service.password))
        assert both.method("compute-1", rung, SystemClock().now()).power() is Power.OFF


def test_a_rung_that_is_not_in_the_file_any_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fencing.yaml"
    path.write_text(REDFISH.format(url="https://192.0.2.1", user=USERNAME, password="a-long-password"))
    both = fences(path)
    rung = both.ladder("compute-1")[0]
    path.write_text(REDFISH.format(url="https://192.0.2.99", user=USERNAME, password="a-long-password"))
    with pytest.raises(FenceRefused, match="any more"):
        both.method("compute-1", rung, SystemClock().now())


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        fences(tmp_path / "fencing.yaml").ladder("compute-1")


class TestUrl:
    """A function of an operator's own."""

    @staticmethod
    def file(tmp_path: Path, url: str) -> Path:
        """Write a file with one URL for all hosts."""
        path = tmp_path / "fencing.yaml"
        path.write_text(f"hosts: [{{match: '*', ladder: [{{method: url, url: '{url}'}}]}}]")
        return path

    def test_it_gets_a_signed_event_and_answers_with_the_power(self, tmp_path: Path) -> None:
        got: list[tuple[Any, Any]] = []
        answers = [b'{"power": "on"}', b'{"power": "off"}']

        with _posted(got, answers) as url:
            both = fences(self.file(tmp_path, url))
            method = both.method("compute-1", both.ladder("compute-1")[0], SystemClock().now())
            assert method.off() == "accepted"
            assert method.power() is Power.OFF
        for attributes, data in got:
            signature.check(attributes, data, [KEY], lambda: datetime.now().astimezone(), 60)
        assert [data for _, data in got] == [
            {"host_name": "compute-1", "action": "off"},
            {"host_name": "compute-1", "action": "power"},
        ]

    def test_the_event_is_signed_as_of_the_time_that_is_given_whatever_the_machine_says(self, tmp_path: Path) -> None:
        got: list[tuple[Any, Any]] = []
        postgres = datetime(2100, 1, 1, tzinfo=UTC)

        with _posted(got, [b'{"power": "off"}']) as url:
            both = fences(self.file(tmp_path, url))
            both.method("compute-1", both.ladder("compute-1")[0], postgres).power()

        signature.check(*got[0], [KEY], lambda: postgres, 60)

    def test_an_answer_without_a_power_is_none(self, tmp_path: Path) -> None:
        for answer in (b"", b"[]", b"{}", b'{"power": "low"}', b"off"):
            with _posted([], [answer]) as url:
                both = fences(self.file(tmp_path, url))
                with pytest.raises(FenceUnavailable, match="without a power"):
                    both.method("compute-1", both.ladder("compute-1")[0], SystemClock().now()).power()

    def test_without_a_key_it_is_refused(self, tmp_path: Path) -> None:
        both = fences(self.file(tmp_path, "http://127.0.0.1:9/"), keys=())
        with pytest.raises(FenceRefused, match="task-key"):
            both.method("compute-1", both.ladder("compute-1")[0], SystemClock().now())


def _posted(got: list[tuple[Any, Any]], answers: list[bytes]) -> AbstractContextManager[str]:
    """Serve a function that keeps each event, and answers one after the other with 200."""

    def answer(_verb: str, _path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        got.append(read(headers, body))
        return 200, answers.pop(0)

    return http(answer)


class TestIronic:
    """A node of Ironic."""

    @staticmethod
    def fences(tmp_path: Path, url: str) -> FileFences:
        """Ask Ironic at an address."""
        path = tmp_path / "fencing.yaml"
        path.write_text("hosts: [{match: 'compute-*', ladder: [{method: ironic}]}]")
        adapter = Adapter(Session(NoAuth()), endpoint_override=url, service_type="baremetal")
        return FileFences(path, 3, (), lambda: adapter)

    def test_the_node_is_off_when_ironic_has_nothing_more_to_do_with_its_power(self, tmp_path: Path) -> None:
        states = [
            b'{"power_state": "power on", "target_power_state": "power off"}',
            b'{"power_state": "power off", "target_power_state": "power off"}',
            b'{"power_state": "power off", "target_power_state": null}',
            b'{"power_state": "power on", "target_power_state": null}',
            b'{"power_state": null, "target_power_state": null, "last_error": "no answer"}',
        ]
        asked: list[tuple[str, str, bytes]] = []

        def answer(verb: str, path: str, _headers: Any, body: bytes) -> tuple[int, bytes]:
            asked.append((verb, path, body))
            return (202, b"") if verb == "PUT" else (200, states.pop(0))

        with http(answer) as url:
            both = self.fences(tmp_path, url)
            method = both.method("compute-7", both.ladder("compute-7")[0], SystemClock().now())
            assert method.off() == "accepted"
            said = [method.power() for _ in range(5)]
        assert said == [Power.UNKNOWN, Power.UNKNOWN, Power.OFF, Power.ON, Power.UNKNOWN]
        assert asked[0] == ("PUT", "/v1/nodes/compute-7/states/power", b'{"target": "power off"}')
        assert {verb for verb, _, _ in asked[1:]} == {"GET"}

    @pytest.mark.parametrize("status", [403, 404, 406])
    def test_a_refusal_is_one(self, tmp_path: Path, status: int) -> None:
        with http(lambda *_: (status, b"no")) as url, pytest.raises(FenceRefused, match=str(status)):
            both = self.fences(tmp_path, url)
            both.method("compute-7", both.ladder("compute-7")[0], SystemClock().now()).off()

    @pytest.mark.parametrize("status", [500, 503, 401])
    def test_a_trouble_is_one(self, tmp_path: Path, status: int) -> None:
        with http(lambda *_: (status, b"no")) as url, pytest.raises(FenceUnavailable, match=str(status)):
            both = self.fences(tmp_path, url)
            both.method("compute-7", both.ladder("compute-7")[0], SystemClock().now()).off()

    def test_a_node_that_another_request_has_locked_is_asked_again(self, tmp_path: Path) -> None:
        with http(lambda *_: (409, b"locked")) as url:
            both = self.fences(tmp_path, url)
            assert (
                both.method("compute-7", both.ladder("compute-7")[0], SystemClock().now()).off() == "declined: locked"
            )
