"""Which flows a failure asks for, by type and method."""

import pytest
from instance_ha.decide.flows import flow_after, flows_for
from instance_ha.models.enums import Flow, NotificationType, RecoveryMethod

AUTO, RESERVED = Flow.HOST_AUTO, Flow.HOST_RESERVED


@pytest.mark.parametrize(
    ("method", "flows"),
    [
        ("auto", (AUTO,)),
        ("reserved_host", (RESERVED,)),
        ("auto_priority", (AUTO, RESERVED)),
        ("rh_priority", (RESERVED, AUTO)),
    ],
)
def test_a_host_failure_follows_the_method_of_its_segment(method: str, flows: tuple[Flow, ...]) -> None:
    assert flows == flows_for(NotificationType.COMPUTE_HOST, RecoveryMethod(method))


@pytest.mark.parametrize("method", RecoveryMethod)
def test_other_failures_have_one_flow_whatever_the_method(method: RecoveryMethod) -> None:
    assert flows_for(NotificationType.VM, method) == (Flow.INSTANCE,)
    assert flows_for(NotificationType.PROCESS, method) == (Flow.PROCESS,)


def test_what_a_flow_leaves_over_the_next_one_takes_and_after_the_last_nobody() -> None:
    assert flow_after(AUTO, (AUTO, RESERVED)) is RESERVED
    assert flow_after(RESERVED, (AUTO, RESERVED)) is None
    assert flow_after(AUTO, (RESERVED,)) is None
