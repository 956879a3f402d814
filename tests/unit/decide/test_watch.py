from dataclasses import replace
from datetime import timedelta

import pytest
from instance_ha.decide.watch import CHECK_UNRECORDED_AFTER, Watch, watch

from tests.unit.build import NOW, migration, vmove


@pytest.mark.parametrize("status", ["error", "failed", "cancelled"])
def test_a_watched_evacuation_that_failed_is_settled_without_a_destination(status: str) -> None:
    assert watch([vmove()], {"instance": migration(status)}, NOW, 90) == Watch(((vmove(), None),), ())


def test_a_watched_evacuation_that_nova_has_done_is_settled_with_where_it_went() -> None:
    records = {"instance": migration("done", dest_host="compute2")}
    assert watch([vmove()], records, NOW, 90) == Watch(((vmove(), "compute2"),), ())


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "migrating"])
def test_a_watched_evacuation_that_nova_works_on_is_left_to_it(status: str) -> None:
    assert watch([vmove()], {"instance": migration(status)}, NOW + timedelta(seconds=90), 90) == Watch((), ())


def test_a_slow_evacuation_gets_a_look_of_its_own() -> None:
    late = NOW + timedelta(seconds=91)
    assert watch([vmove()], {"instance": migration("migrating")}, late, 90) == Watch((), (vmove(),))


def test_an_evacuation_to_a_host_that_is_down_is_checked_soon() -> None:
    records, later = {"instance": migration("migrating", dest_host="compute2")}, NOW + timedelta(seconds=11)
    assert watch([vmove()], records, later, 90, {"compute2"}) == Watch((), (vmove(),))
    assert watch([vmove()], records, later, 90, {"compute3"}) == Watch((), ())


def test_an_evacuation_without_a_record_gets_a_look_of_its_own() -> None:
    at_the_limit = NOW + timedelta(seconds=CHECK_UNRECORDED_AFTER)
    assert watch([vmove()], {}, at_the_limit, 90) == Watch((), ())
    assert watch([vmove()], {}, at_the_limit + timedelta(seconds=1), 90) == Watch((), (vmove(),))


def test_the_patience_begins_anew_with_each_check() -> None:
    checked = replace(vmove(), updated_at=NOW + timedelta(seconds=80))
    assert watch([checked], {"instance": migration("migrating")}, NOW + timedelta(seconds=160), 90) == Watch((), ())


def test_only_the_evacuations_that_need_it_get_a_look() -> None:
    other = vmove(uuid="other", instance_uuid="other")
    records = {"instance": migration("done"), "other": migration("migrating", server_id="other")}
    assert watch([vmove(), other], records, NOW, 90) == Watch(((vmove(), None),), ())
