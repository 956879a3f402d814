"""A folder that says what it may not is refused, with file, line and key."""

from pathlib import Path

import pytest
from instance_ha_simulator.folder.read import FolderError, read

WORLD = """\
segments:
  one: {hosts: [compute1, compute2]}
hosts:
  compute1: {instances: [{names: [vm-1]}]}
  compute2:
happenings:
  - {at: 5, kill_host: compute1}
"""


def refused(folder: Path, world: str, faults: str = "") -> list[str]:
    (folder / "world.yaml").write_text(world)
    (folder / "faults.yaml").write_text(faults)
    with pytest.raises(FolderError) as error:
        read(folder)
    return str(error.value).replace(f"{folder}/", "").splitlines()


def test_a_folder_without_faults_is_read(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(WORLD)
    world, faults = read(tmp_path)
    assert (world["happenings"], faults) == ([{"at": 5, "kill_host": "compute1"}], {})


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("kill_host:", "kil_host:", ":7: happenings.0.kil_host: there is no such key"),
        ("at: 5, ", "", ":7: happenings.0.at: this key is missing"),
        ("at: 5", "at: -1", ":7: happenings.0.at: input should be greater than or equal to 0"),
        (
            "kill_host: compute1",
            "kill_host: compute1, start_host: compute1",
            ":7: happenings.0: one thing happens at a time, here: kill_host, start_host",
        ),
        ("kill_host: compute1", "notify: {process: x}", ":7: happenings.0.notify.host: this key is missing"),
        (
            "kill_host: compute1",
            "kill_host: compute3",
            ":7: happenings.0.kill_host: there is no host compute3",
        ),
        ("kill_host: compute1", "notify: compute3", ":7: happenings.0.notify: there is no host compute3"),
        ("kill_host: compute1", "breaks: vm-2", ":7: happenings.0.breaks: there is no instance vm-2"),
        (
            "kill_host: compute1",
            "disable_segment: two",
            ":7: happenings.0.disable_segment: there is no segment two",
        ),
        (
            "[compute1, compute2]",
            "[compute1, compute1]",
            ":2: segments.one.hosts.1: host compute1 is in a segment already",
        ),
        ("[compute1, compute2]", "[compute1, c]", ":2: segments.one.hosts.1: there is no host c"),
        (
            "names: [vm-1]",
            "prefix: x",
            ":4: hosts.compute1.instances.0: one of name, names and count is needed",
        ),
        ("compute2:\n", "compute2:\n  compute2:\n", ":6: hosts.compute2: this key is there twice"),
        (
            "segments:",
            "settings: {force_dwn: yes}\nsegments:",
            ":1: settings.force_dwn: there is no such key",
        ),
        ("segments:", "cloud: {lag: 1}\nsegments:", ":1: cloud.lag: there is no such key"),
    ],
)
def test_a_wrong_world_is_told_with_its_line_and_key(old: str, new: str, line: str, tmp_path: Path) -> None:
    assert refused(tmp_path, WORLD.replace(old, new, 1)) == [f"world.yaml{line}"]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    world = WORLD.replace("at: 5", "at: soon").replace("hosts: [", "host: [")
    lines = refused(tmp_path, world, "nova:\n  - {paht: /servers}\nkill:\n  - {breakpoint: recovery-claimed, nth: 0}\n")
    assert [line.split(" ")[0] for line in lines] == [
        "world.yaml:2:",
        "world.yaml:2:",
        "world.yaml:7:",
        "faults.yaml:2:",
        "faults.yaml:4:",
    ]


def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "hosts: [\n")[0].startswith("world.yaml:2: this is not valid YAML: ")
    assert refused(tmp_path, "- one\n") == ["world.yaml:1: a mapping is needed"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"none/world\.yaml: cannot be read: No such file or directory"):
        read(tmp_path / "none")
