import pytest
from instance_ha.decide.restoration import restoration_of
from instance_ha.models.rows import InstanceFacts


@pytest.mark.parametrize(
    ("facts", "actions"),
    [
        (InstanceFacts(vm_state="active"), ()),
        (InstanceFacts(vm_state="active", task_state="rebooting"), ()),
        (InstanceFacts(vm_state="stopped", power_state=4), ()),
        (InstanceFacts(vm_state="stopped", task_state="powering-on", power_state=4), ()),
        (InstanceFacts(vm_state="active", task_state="powering-off"), ("stop",)),
        (InstanceFacts(vm_state="active", task_state="pausing"), ("pause",)),
        (InstanceFacts(vm_state="resized", power_state=1), ()),
        (InstanceFacts(vm_state="resized", power_state=4), ("stop",)),
        (InstanceFacts(vm_state="paused", power_state=3), ("pause",)),
        (InstanceFacts(vm_state="suspended", power_state=4), ("suspend",)),
        (InstanceFacts(vm_state="error"), ("stop", "reset_error")),
        (InstanceFacts(vm_state="rescued"), ("stop",)),
    ],
    ids=lambda value: f"{value.vm_state}-{value.task_state}" if isinstance(value, InstanceFacts) else None,
)
def test_an_evacuated_instance_gets_the_state_that_it_had_or_that_its_owner_had_asked_for(
    facts: InstanceFacts, actions: tuple[str, ...]
) -> None:
    assert actions == restoration_of(facts).actions


@pytest.mark.parametrize("state", ["suspended", "resized", "rescued", "building"])
def test_what_cannot_be_given_back_is_said(state: str) -> None:
    assert "was " in (restoration_of(InstanceFacts(vm_state=state)).message or "")
