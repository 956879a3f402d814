"""The one parser of durations."""

import pytest
from instance_ha.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60s", 60), ("90", 90), ("1m30s", 90), ("1.5s", 1.5), ("500ms", 0.5), ("2m", 120), ("1.5h", 5400)],
)
def test_a_duration_is_read_as_the_watchdog_writes_it(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-1s", "1.2.3s", "60 s", "soon", "\u0661s", "\u0661"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        seconds(text)
