from instance_ha.decide import destinations

from tests.unit.build import service, vmove


def test_a_destination_fails_after_two_failures_without_a_success() -> None:
    counts = {"bad": (2, 0), "once": (1, 0), "mixed": (5, 1), "good": (0, 9)}
    assert destinations.failing(counts) == {"bad"}


def test_only_hosts_that_are_up_and_enabled_take_what_another_one_failed_to() -> None:
    services = [
        service(host="compute1", up=True, disabled=False),
        service(host="compute2", up=True, disabled=False),
        service(host="compute3", up=True, disabled=False),
        service(host="down", up=False, disabled=False),
        service(host="reserved", up=True, disabled=True),
    ]
    assert destinations.others(services, "compute1", frozenset({"compute2"})) == ["compute3"]


def test_instances_are_spread_and_each_attempt_at_one_chooses_another_host() -> None:
    first = [vmove(uuid=str(n), position=n, attempt=1) for n in range(4)]
    again = [vmove(uuid=str(n), position=n, attempt=2) for n in range(4)]
    chosen, then = destinations.spread(first, ["a", "b"]), destinations.spread(again, ["a", "b"])
    assert sorted(chosen.values()) == ["a", "a", "b", "b"]
    assert all(chosen[uuid] != then[uuid] for uuid in chosen)


def test_without_another_host_the_scheduler_chooses() -> None:
    assert destinations.spread([vmove()], []) == {}
