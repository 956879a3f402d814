from datetime import timedelta

import pytest
from instance_ha.nova.hypervisors import parse_uptime


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 08:32:11 up 93 days, 18:25, 12 users,  load average: 0.20, 0.12, 0.14", timedelta(93, hours=18, minutes=25)),
        (" 00:22:52 up  0:41,  2 users,  load average: 0.05, 0.03, 0.05", timedelta(minutes=41)),
        (" 10:00:00 up 3 min,  1 user,  load average: 0.00, 0.00, 0.00", timedelta(minutes=3)),
        (" 10:00:00 up 0 min,  0 users,  load average: 0.00, 0.00, 0.00", timedelta()),
        (" 10:00:00 up 1 day, 5 min,  1 user,  load average: 0.00", timedelta(1, minutes=5)),
        (" 10:00:00 up 2 days,  3:07,  0 users,  load average: 0.00", timedelta(2, hours=3, minutes=7)),
    ],
)
def test_an_uptime_is_read_as_the_command_writes_it(text: str, expected: timedelta) -> None:
    assert parse_uptime(text) == expected


@pytest.mark.parametrize("text", [None, "", "fake", "up", "up since yesterday", "up 3 hours"])
def test_an_uptime_that_says_something_else_is_not_known(text: str | None) -> None:
    assert parse_uptime(text) is None
