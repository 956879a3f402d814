"""What of a promise is broken, and which instances could not be recovered."""

from collections.abc import Mapping
from typing import Any

import pytest
from instance_ha.decide.readiness import CloudFacts, Evaluated, evaluate
from instance_ha.decide.readiness_promise import trouble
from instance_ha.models.capacity import Inventory, Room
from instance_ha.models.cloud import Aggregate, ServerGroup
from instance_ha.models.readiness import Ability, Fit, HostReadiness, Protected, SegmentReadiness
from instance_ha.models.uuids import HostUuid, SegmentUuid

from tests.unit.build import server

HOSTS = ("compute1", "compute2", "compute3")
ROOMS = {host: Room(host, {"MEMORY_MB": Inventory(total=10)}) for host in HOSTS}


def facts(**about: Any) -> CloudFacts:
    """Three hosts with room, of which the first has an instance."""
    taken: Mapping[str, Mapping[str, Mapping[str, int]]] = {"compute1": {"vm": {"MEMORY_MB": 1}}}
    return CloudFacts(**({"rooms": ROOMS, "allocations": taken, "scheduled": frozenset(HOSTS)} | about))


def evaluated(known: CloudFacts, *, is_held: bool = False, **about: Any) -> Evaluated:
    there = Protected("compute1", (server(**({"id": "vm", "name": "vm"} | about)),), is_held=is_held)
    return evaluate(there, known, frozenset(HOSTS))


def said(found: Evaluated) -> tuple[Ability, str] | None:
    assert len(found.troubled) <= 1
    return (found.troubled[0].ability, found.troubled[0].reason) if found.troubled else None


def test_a_plain_instance_may_go_to_any_host() -> None:
    found = evaluated(facts())
    assert (said(found), found.is_known, [one.hosts for one in found.needs]) == (None, True, [None])


def test_a_trait_leaves_the_hosts_that_have_it() -> None:
    known = facts(traits={"HW_CPU_X86_AVX2": frozenset({"compute3"})})
    required = evaluated(known, extra_specs={"trait:HW_CPU_X86_AVX2": "required"})
    assert [one.hosts for one in required.needs] == [frozenset({"compute3"})]
    forbidden = evaluated(known, extra_specs={"trait:HW_CPU_X86_AVX2": "forbidden"})
    assert [one.hosts for one in forbidden.needs] == [frozenset({"compute1", "compute2"})]


def test_a_trait_that_no_other_host_has_leaves_nothing() -> None:
    known = facts(traits={"CUSTOM_GPU": frozenset({"compute1"})})
    found = evaluated(known, extra_specs={"trait:CUSTOM_GPU": "required"})
    assert said(found) == (Ability.NO, "no other host has trait:CUSTOM_GPU=required")
    assert found.needs == ()  # it takes nobody's room


@pytest.mark.parametrize(("value", "hosts"), [("true", frozenset({"compute2"})), ("other", frozenset())])
def test_a_flavor_that_asks_for_an_aggregate_may_go_to_its_hosts(value: str, hosts: frozenset[str]) -> None:
    fast = Aggregate(id=1, name="fast", hosts=frozenset({"compute2"}), metadata={"ssd": "true, yes"}, zone=None)
    found = evaluated(facts(aggregates=[fast]), extra_specs={"aggregate_instance_extra_specs:ssd": value})
    if hosts:
        assert [one.hosts for one in found.needs] == [hosts]
    else:
        assert said(found) == (Ability.NO, "no other host has aggregate_instance_extra_specs:ssd=other")


def test_what_a_flavor_asks_for_without_a_scope_leaves_the_aggregates_that_name_it() -> None:
    fast = Aggregate(id=1, name="fast", hosts=frozenset({"compute2"}), metadata={"ssd": "true"}, zone=None)
    assert [one.hosts for one in evaluated(facts(aggregates=[fast]), extra_specs={"ssd": "true"}).needs] == [fast.hosts]
    assert [one.hosts for one in evaluated(facts(), extra_specs={"ssd": "true"}).needs] == [None]


@pytest.mark.parametrize(
    ("metadata", "about"),
    [
        ({"filter_tenant_id": "project-1, project-2"}, {"project": "project-2"}),
        ({"filter_tenant_id": "project-1", "filter_tenant_id2": "project-3"}, {"project": "project-3"}),
        ({"trait:CUSTOM_WINDOWS": "required"}, {"extra_specs": {"trait:CUSTOM_WINDOWS": "required"}}),
    ],
)
def test_an_aggregate_that_is_kept_for_others_takes_nobody_else(
    metadata: dict[str, str], about: dict[str, Any]
) -> None:
    kept = Aggregate(id=1, name="kept", hosts=frozenset({"compute2"}), metadata=metadata, zone=None)
    known = facts(aggregates=[kept], traits={"CUSTOM_WINDOWS": frozenset(HOSTS)})
    assert [one.hosts for one in evaluated(known, project="project-9").needs] == [frozenset({"compute1", "compute3"})]
    (need,) = evaluated(known, **about).needs
    assert need.may_go_to("compute2")


def test_an_instance_whose_flavor_nova_does_not_show_is_not_known() -> None:
    assert said(evaluated(facts(), shows_extra_specs=False)) == (
        Ability.UNKNOWN,
        "Nova's policy does not let us see what its flavor asks for",
    )


def test_an_instance_stays_in_its_zone() -> None:
    west = Aggregate(id=1, name="w", hosts=frozenset({"compute1", "compute2"}), metadata={}, zone="west")
    found = evaluated(facts(aggregates=[west]), zone="west")
    assert [one.hosts for one in found.needs] == [frozenset({"compute1", "compute2"})]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hw:cpu_policy", "dedicated"),
        ("hw:numa_nodes", "2"),
        ("hw:mem_page_size", "large"),
        ("pci_passthrough:alias", "gpu:1"),
        ("aggregate_instance_extra_specs:size", ">= 2"),
        ("capabilities:hypervisor_type", "QEMU"),
        ("trait1:CUSTOM_NUMA", "required"),
        ("trait_NET:CUSTOM_FAST", "required"),
        ("resources1:CUSTOM_FPGA", "1"),
    ],
)
def test_what_placement_does_not_count_is_not_known(name: str, value: str) -> None:
    big = Aggregate(id=1, name="big", hosts=frozenset(HOSTS), metadata={"size": ">= 2"}, zone=None)
    found = evaluated(facts(aggregates=[big]), extra_specs={name: value})
    assert said(found) is not None
    assert found.troubled[0].ability is Ability.UNKNOWN
    assert len(found.needs) == 1  # it may take room all the same


def test_shared_cpus_are_nothing_special() -> None:
    assert said(evaluated(facts(), extra_specs={"hw:cpu_policy": "shared"})) is None


def test_a_device_of_a_nested_provider_is_not_known() -> None:
    found = said(evaluated(facts(with_devices=frozenset({"vm"}))))
    assert found is not None
    assert found[0] is Ability.UNKNOWN


def test_affinity_is_not_known_and_anti_affinity_needs_a_host_without_a_member() -> None:
    together = ServerGroup(id="g", policy="affinity", members=frozenset({"vm", "vm-2"}))
    assert (said(evaluated(facts(groups={"vm": together}))) or [None])[0] is Ability.UNKNOWN
    apart = ServerGroup(id="g", policy="anti-affinity", members=frozenset({"vm", "vm-2", "vm-3"}))
    everywhere = {
        "compute1": {"vm": {"MEMORY_MB": 1}},
        "compute2": {"vm-2": {"MEMORY_MB": 1}},
        "compute3": {"vm-3": {"MEMORY_MB": 1}},
    }
    found = said(evaluated(facts(groups={"vm": apart}, allocations=everywhere)))
    assert found is not None
    assert (found[0], "anti-affinity" in found[1]) == (Ability.NO, True)
    somewhere = {"compute1": {"vm": {"MEMORY_MB": 1}}, "compute2": {"vm-2": {"MEMORY_MB": 1}}}
    assert said(evaluated(facts(groups={"vm": apart}, allocations=somewhere))) is None


def test_an_instance_without_an_allocation_makes_its_host_unknown() -> None:
    found = evaluated(facts(allocations={"compute1": {}}))
    assert found.is_known is False
    assert said(found) == (Ability.UNKNOWN, "Placement does not say what it takes of its host")


def test_an_instance_whose_disk_would_be_lost_is_not_recovered_where_that_is_held() -> None:
    held = said(evaluated(facts(), is_held=True, on_volume=False))
    assert held is not None
    assert held[0] is Ability.NO
    assert said(evaluated(facts(), is_held=True, on_volume=True)) is None


def segment(survives: int | None, *unfenceable: str) -> SegmentReadiness:
    hosts = (*unfenceable, None)
    return SegmentReadiness(
        segment_uuid=SegmentUuid("segment"),
        survives=survives,
        hosts=tuple(
            HostReadiness(
                uuid=HostUuid(name or "well"),
                name=name or "well",
                fit=Fit.FITS,
                fence_troubles=("no answer",) if name else (),
            )
            for name in hosts
        ),
    )


@pytest.mark.parametrize(
    ("found", "survives", "known_before", "expected"),
    [
        (segment(1), 1, None, None),
        (segment(2), 1, 0, None),
        (segment(0), 1, None, "it survives the loss of 0 hosts (promised: 1)"),
        (segment(0), 0, None, None),
        (segment(None), 1, None, None),
        (segment(None), 1, 1, None),
        (segment(None), 1, 0, "it survives the loss of 0 hosts (promised: 1)"),
        (segment(1, "a", "b"), 1, None, "2 of its hosts could not be fenced: a, b"),
        (segment(None, "a"), 1, None, "1 of its hosts could not be fenced: a"),
        (
            segment(1, *"abcdefghijkl"),
            1,
            None,
            "12 of its hosts could not be fenced: a, b, c, d, e, f, g, h, i, j and 2 more",
        ),
        (
            segment(0, "a"),
            1,
            None,
            "it survives the loss of 0 hosts (promised: 1); 1 of its hosts could not be fenced: a",
        ),
    ],
)
def test_a_promise_is_broken_by_what_is_known(
    found: SegmentReadiness, survives: int, known_before: int | None, expected: str | None
) -> None:
    assert trouble(found, survives, known_before) == expected


def test_a_fence_that_works_again_is_no_trouble_though_it_is_not_known_how_many_may_die() -> None:
    assert trouble(segment(None, "a"), 1, 1) is not None
    assert trouble(segment(None), 1, 1) is None


def test_of_a_segment_that_has_fewer_hosts_than_are_promised_all_may_die() -> None:
    nothing = SegmentReadiness(segment_uuid=SegmentUuid("segment"), survives=0)
    assert trouble(nothing, 1, None) is None
    assert trouble(segment(1), 2, None) is None
