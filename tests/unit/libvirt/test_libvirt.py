"""What can be promised of the libvirt adapter without libvirt; the rest is in tests/real."""

import contextlib
import socket
import threading
import time

import pytest
from instance_ha.libvirt.addresses import check, expect_answer, here
from instance_ha.libvirt.limits import Limited
from instance_ha.libvirt.parse import agent_channel, fault
from instance_ha.models.errors import HostSilent, Misconfigured, SourceUnavailable
from instance_ha.models.guests import Channel, Fault
from instance_ha.settings import Settings, load

AGENT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
SPICE = "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>"


def settings(**values: str) -> Settings:
    """Return settings."""
    return load({"DATABASE_URL": "postgresql://db/ha", **values})


def _state(word: str) -> str:
    return AGENT.replace("/>", f" state='{word}'/>", 1)


@pytest.mark.parametrize(
    ("channels", "found"),
    [
        (AGENT, Channel.OPEN),
        (SPICE + AGENT, Channel.OPEN),
        (SPICE + _state("connected"), Channel.OPEN),
        (SPICE + _state("disconnected"), Channel.CLOSED),
        (SPICE, Channel.NONE),
        ("", Channel.NONE),
    ],
)
def test_the_agents_channel_is_found_wherever_it_is_and_whether_the_guest_holds_it_open(
    channels: str, found: Channel
) -> None:
    assert agent_channel(f"<domain><devices>{channels}</devices></domain>") is found


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (1, 1, None),
        (3, 1, None),
        (3, 5, Fault.IO_ERROR),
        (3, 10, Fault.FAILED),
        (5, 1, None),
        (5, 2, None),
        (5, 3, Fault.FAILED),
        (5, 4, None),
        (5, 6, Fault.FAILED),
        (6, 1, Fault.FAILED),
    ],
)
def test_crashed_failed_and_io_error_are_faults_and_orderly_ends_are_none(
    state: int, reason: int, expected: Fault | None
) -> None:
    assert fault(state, reason) is expected


def test_a_uri_with_a_place_for_the_host_reaches_all_and_another_one_only_our_own() -> None:
    assert here(settings(), ["a", "b"]) == ["a", "b"]
    own = {"INSTANCE_HA_LIBVIRT_URI": "qemu:///system"}
    assert here(settings(**own, INSTANCE_HA_LIBVIRT_HOSTNAME="b"), ["a", "b"]) == ["b"]
    assert here(settings(**own), ["a", socket.gethostname()]) == [socket.gethostname()]


@pytest.mark.parametrize("uri", ["qemu+tls://{node}/system", "{host}", "qemu+carrier+pigeon://{host}", "qemu://{host"])
def test_a_uri_that_is_none_stops_the_start(uri: str) -> None:
    with pytest.raises(Misconfigured, match="INSTANCE_HA_LIBVIRT_URI"):
        check(settings(INSTANCE_HA_LIBVIRT_URI=uri))


def test_without_libvirt_python_guests_cannot_be_registered() -> None:
    with pytest.raises(Misconfigured, match="libvirt-python"):
        check(settings(), find=lambda _name: None)


def test_a_host_that_accepts_a_connection_is_asked_and_so_is_what_has_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        expect_answer(f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system", 1)
    expect_answer("qemu:///system", 1)


def test_a_host_that_refuses_a_connection_is_there_though_it_cannot_be_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="cannot be asked") as raised:
        expect_answer(f"qemu+tcp://127.0.0.1:{port}/system", 1)
    assert not isinstance(raised.value, HostSilent)


def test_a_name_that_nobody_knows_says_nothing_of_a_host() -> None:
    with pytest.raises(SourceUnavailable, match="cannot be asked") as raised:
        expect_answer("qemu+tcp://no-such-host.invalid/system", 1)
    assert not isinstance(raised.value, HostSilent)


def test_a_host_that_neither_accepts_nor_refuses_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, contextlib.ExitStack() as waiting:
        address = server.getsockname()
        for _ in range(4):  # until the queue is full, and further ones are dropped as a dead host drops them
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(HostSilent, match="is not reachable"):
            expect_answer(f"qemu+tcp://127.0.0.1:{address[1]}/system", 0.3)


def test_a_call_returns_what_it_returns_or_raises_what_it_raises() -> None:
    limited = Limited()
    assert limited.call("a", 1, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        limited.call("a", 1, lambda: 1 // 0)


def test_a_call_that_hangs_is_left_behind_and_what_comes_too_late_is_undone() -> None:
    limited, release, undone = Limited(), threading.Event(), threading.Event()

    def hang() -> str:
        release.wait(10)
        return "late"

    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no answer"):
        limited.call("a", 0.05, hang, lambda _result: undone.set())
    with pytest.raises(SourceUnavailable, match="still hangs"):
        limited.call("a", 5, lambda: 1)
    assert limited.call("b", 5, lambda: 1) == 1
    assert time.monotonic() - begun < 2
    release.set()
    assert undone.wait(5)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            assert limited.call("a", 5, lambda: 1) == 1
            return
        except SourceUnavailable:
            time.sleep(0.01)
    pytest.fail("it still counts as hanging")
