"""fencing.yaml: which host has which ladder, and what is refused in it."""

from pathlib import Path

import pytest
from instance_ha import masking
from instance_ha.fencing import file
from instance_ha.models.errors import Misconfigured

LOGIN = {"username": "fencer", "password": "correct-horse"}


def ladder(*methods: dict[str, object], match: str = "compute-1") -> dict[str, object]:
    """Write one entry."""
    return {"match": match, "ladder": list(methods)}


def redfish(address: str = "https://192.0.2.1", **more: object) -> dict[str, object]:
    """Write one method."""
    return {"method": "redfish", "address": address, **LOGIN, **more}


def read(*entries: dict[str, object]) -> file.FencingFile:
    """Check what a file would have."""
    return file.FencingFile.model_validate({"hosts": entries})


def test_the_first_entry_that_matches_counts() -> None:
    found = read(ladder(redfish()), ladder(redfish("https://{host}-bmc.example"), match="compute-*"))
    assert [method.machine for method in found.ladder("compute-1")] == ["https://192.0.2.1"]
    assert [method.machine for method in found.ladder("compute-2")] == ["https://compute-2-bmc.example"]
    assert found.ladder("storage-1") == ()


def test_the_short_name_is_what_stands_before_the_first_dot() -> None:
    found = read(ladder({"method": "ipmi", "address": "{short}.bmc.example", **LOGIN}, match="*"))
    assert found.ladder("compute-1.cloud.example")[0].machine == "compute-1.bmc.example:623"


def test_a_form_that_leads_several_hosts_to_one_machine_is_refused() -> None:
    with pytest.raises(ValueError, match="one machine for all"):
        read(ladder(redfish(), match="compute-*"))


def test_two_hosts_at_one_machine_are_refused() -> None:
    with pytest.raises(ValueError, match="compute-1 and compute-2 would be fenced at the same"):
        read(ladder(redfish()), ladder(redfish("https://192.0.2.1/"), match="compute-2"))


SYSTEM = "/redfish/v1/Systems/1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (redfish(), redfish(system=SYSTEM)),
        (redfish(system=SYSTEM), redfish(system=f"{SYSTEM}/")),
        (redfish("https://BMC1"), redfish("https://bmc1:443/")),
        (redfish("http://192.0.2.1"), redfish("https://192.0.2.1")),
        (redfish(), {"method": "ipmi", "address": "192.0.2.1", **LOGIN}),
        ({"method": "ipmi", "address": "Bmc1", **LOGIN}, {"method": "ipmi", "address": "bmc1", **LOGIN}),
        ({"method": "ironic", "node": "n1"}, {"method": "ironic", "node": "n1"}),
    ],
)
def test_one_machine_is_the_same_however_it_is_spelt(one: dict[str, object], other: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="would be fenced at the same machine"):
        read(ladder(one), ladder(other, match="compute-2"))
    read(ladder(one, other))  # two ways to one host


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (redfish(system=SYSTEM), redfish(system="/redfish/v1/Systems/2")),
        (redfish("https://192.0.2.1:8443"), redfish("https://192.0.2.1:8444")),
        (
            {"method": "ipmi", "address": "192.0.2.1", "port": 6230, **LOGIN},
            {"method": "ipmi", "address": "192.0.2.1", "port": 6231, **LOGIN},
        ),
        ({"method": "url", "url": "https://pdu.example"}, {"method": "url", "url": "https://pdu.example"}),
    ],
)
def test_two_machines_are_two(one: dict[str, object], other: dict[str, object]) -> None:
    read(ladder(one), ladder(other, match="compute-2"))


def test_what_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="compute-1 appears twice"):
        read(ladder(redfish("https://192.0.2.1")), ladder(redfish("https://192.0.2.2")))


def test_hosts_of_a_form_are_compared_by_their_names() -> None:
    form: dict[str, object] = {"method": "ipmi", "address": "{short}.bmc", **LOGIN}
    by_short = read(ladder(form, match="compute-*"))
    assert by_short.shared(["compute-1.az1", "compute-2.az1"]) == {}
    both = {"compute-1.az1": "compute-1.az2", "compute-1.az2": "compute-1.az1"}
    assert by_short.shared(["compute-1.az1", "compute-2.az1", "compute-1.az2"]) == both
    beside = read(ladder(form | {"address": "compute-3.bmc"}, match="gpu-1"), ladder(form, match="c*"))
    assert beside.shared(["gpu-1", "compute-3"]) == {"gpu-1": "compute-3", "compute-3": "gpu-1"}


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (redfish("https://user:word@192.0.2.1"), "pattern"),
        (redfish(pasword="x"), "pasword"),
        ({"method": "reboot"}, "reboot"),
        ({"method": "ipmi", "address": "192.0.2.1", **LOGIN, "port": 0}, "port"),
        ({"method": "url", "url": "ftp://pdu.example"}, "pattern"),
        (redfish(time_limit=0), "time_limit"),
    ],
)
def test_what_makes_no_sense_is_refused(method: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(ladder(method))


def test_a_refusal_tells_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "fencing.yaml"
    for text in (
        "hosts:\n- match: a\n  ladder: [{method: redfish, password: correct-horse, adress: x}]",
        "hosts: [password: correct-horse: staple",
        "hosts:\n- {match: a, ladder: correct-horse}",
        "correct-horse",
    ):
        path.write_text(text)
        with pytest.raises(Misconfigured, match=r"fencing\.yaml") as refused:
            file.read(path)
        assert "correct-horse" not in str(refused.value)


def test_its_passwords_are_masked_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "fencing.yaml"
    path.write_text("hosts: [{match: a, ladder: [{method: ipmi, address: b, username: c, password: only-here-77}]}]")
    file.read(path)
    assert masking.masked("it said only-here-77") == f"it said {masking.MASK}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file"):
        file.read(tmp_path / "fencing.yaml")
