"""Tasks of another package, of every temper."""

import time
from collections import Counter

from instance_ha.models.custom import Report, TaskFacts

sleep = time.sleep  # the simulator puts its own clock here
runs: Counter[tuple[str, str]] = Counter()  # by task and notification


class Steady:
    """Works."""

    name = "SteadyTask"
    time_limit = 10.0
    retries = 1

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Say what it was told, and take a second."""
        runs[self.name, facts.notification_uuid] += 1
        report(0.5, f"told of {facts.type} on {facts.host}")
        sleep(1.0)


class Failing(Steady):
    """Never works."""

    name = "FailingTask"
    retries = 0

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Fail."""
        super().run(facts, report)
        raise RuntimeError("the pager is broken")


class SecondTime(Steady):
    """Works the second time."""

    name = "SecondTimeTask"
    retries = 1

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Fail once."""
        super().run(facts, report)
        if runs[self.name, facts.notification_uuid] == 1:
            raise RuntimeError("the line is busy")


class Hanging(Steady):
    """Does not end."""

    name = "HangingTask"
    retries = 0

    def run(self, facts: TaskFacts, report: Report) -> None:
        """Hang, and say something when nobody listens any more."""
        super().run(facts, report)
        sleep(10_000.0)
        report(1.0, "too late")


class Unlimited(Steady):
    """Wants more time than an invocation has."""

    name = "UnlimitedTask"
    time_limit = 3600.0


class Nameless:
    """Is none."""
