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
    one, two = (redfish(system=f"/redfish/v1/Systems/{number}") for number in (1, 2))
    read(ladder(one), ladder(two, match="compute-2"))


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
