"""What is pinned for a function."""

from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_only_those_who_speak_to_aws_have_its_client() -> None:
    pinned = {file.parent.name: file.read_text() for file in (ROOT / "functions").glob("*/requirements.txt")}
    assert {name for name, text in pinned.items() if "\nboto3==" in text} == {"relay", "purge"}
