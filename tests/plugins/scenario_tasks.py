"""Third-party tasks for scenarios and tests, found by entry points as any others (see the dist-info beside)."""

from instance_ha.custom import ProgressCallback, TaskFacts, custom_task


@custom_task(time_limit=10)
def works(facts: TaskFacts, report: ProgressCallback) -> None:
    """Work."""
    report(0.5, f"{facts.flow} of {facts.host_name} in {facts.segment_name}")


@custom_task(time_limit=10)
def fails(_facts: TaskFacts, _report: ProgressCallback) -> None:
    """Fail."""
    raise OSError("no pager answers")


@custom_task(time_limit=10, required=False)
def fails_gently(_facts: TaskFacts, _report: ProgressCallback) -> None:
    """Fail, which does not matter."""
    raise OSError("no pager answers")


@custom_task(time_limit=20)
def hangs(_facts: TaskFacts, _report: ProgressCallback) -> None:
    """Never end; the simulator knows it by this error."""
    from instance_ha_simulator.outside import HangsError

    raise HangsError


@custom_task(time_limit=3600)
def slow(_facts: TaskFacts, _report: ProgressCallback) -> None:
    """Claim more time than an invocation has."""


def no_task() -> None:
    """Be no task."""
