"""Which instances of a failed host are evacuated, and in which order (reference, section 5.3 step 2)."""

from collections.abc import Iterable
from dataclasses import dataclass

from instance_ha.models.cloud import Server
from instance_ha.models.rows import InstanceFacts
from instance_ha.models.text import TRUE


@dataclass(frozen=True)
class InstancePolicy:
    """The operator's wishes."""

    metadata_key: str = "HA_Enabled"
    evacuate_all: bool = True
    ignore_error_state: bool = False


@dataclass(frozen=True)
class Choice:
    """The instances to evacuate, first ones first, and what was left out for which reason."""

    chosen: tuple[Server, ...]
    left_out: tuple[tuple[Server, str], ...]


def ha_enabled(server: Server, policy: InstancePolicy) -> bool:
    """Whether the instance's owner asked for high availability."""
    return server.metadata.get(policy.metadata_key, "").strip().lower() in TRUE


def choose(servers: Iterable[Server], policy: InstancePolicy) -> Choice:
    """Choose and order: HA_Enabled instances first, else in the order Nova lists them."""
    first: list[Server] = []
    others: list[Server] = []
    left_out: list[tuple[Server, str]] = []
    for server in servers:
        if policy.ignore_error_state and server.vm_state == "error":
            left_out.append((server, "in error state"))
        elif ha_enabled(server, policy):
            first.append(server)
        elif policy.evacuate_all:
            others.append(server)
        else:
            left_out.append((server, f"no metadata {policy.metadata_key}"))
    return Choice(tuple(first + others), tuple(left_out))


def facts(server: Server, policy: InstancePolicy) -> InstanceFacts:
    """Keep what must be known of an instance to give it its state back."""
    return InstanceFacts(
        vm_state=server.vm_state,
        task_state=server.task_state,
        power_state=server.power_state,
        locked=server.locked,
        ha_enabled=ha_enabled(server, policy),
    )
