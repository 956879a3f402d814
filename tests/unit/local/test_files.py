import os
import stat
from pathlib import Path

import pytest
from instance_ha_simulator.files import free_port, is_free, make_state_dir, temporary_state_dir, write_secret

from local.files import default_state_dir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_state_folder_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    before = mode(tmp_path)
    old = os.umask(0o077)
    try:
        make_state_dir(tmp_path / "a/b")
    finally:
        os.umask(old)

    expected = 0o711 if os.geteuid() == 0 else 0o700
    assert [mode(tmp_path / "a"), mode(tmp_path / "a/b")] == [expected, expected]
    assert mode(tmp_path) == before


def test_a_state_folder_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    make_state_dir(tmp_path)

    assert mode(tmp_path) == 0o750


def test_a_temporary_state_folder_is_removed_after_its_use() -> None:
    with temporary_state_dir() as folder:
        (folder / "file").touch()
        assert mode(folder) == 0o711

    assert not folder.exists()


@pytest.mark.parametrize(
    ("environ", "uid", "folder"),
    [
        ({"LOCAL_STATE_DIR": "/somewhere"}, 0, "/somewhere"),
        ({"HOME": "/root"}, 0, "/var/lib/instance-ha"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/xdg"}, 1000, "/xdg/instance-ha"),
        ({"HOME": "/home/me"}, 1000, "/home/me/.local/state/instance-ha"),
    ],
)
def test_the_environment_and_the_user_name_the_state_folder(environ: dict[str, str], uid: int, folder: str) -> None:
    assert default_state_dir(environ, uid) == Path(folder)


def test_only_the_owner_reads_a_secret(tmp_path: Path) -> None:
    write_secret(tmp_path / "secret", "long text")
    write_secret(tmp_path / "secret", "text")

    assert (tmp_path / "secret").read_text() == "text"
    assert mode(tmp_path / "secret") == 0o600


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())
