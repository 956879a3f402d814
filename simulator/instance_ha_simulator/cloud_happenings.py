"""What may happen in the cloud of a scenario while it lasts, beside hosts that die."""

from collections.abc import Callable
from typing import Any

from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.faults import Rule


def happen(cloud: Cloud, server: Callable[[str], str], what: str, about: Any) -> bool:
    """Let it happen; False if it is none of these. ``server`` finds a server's id by its name."""
    do: dict[str, Callable[[], object]] = {
        "breaks": lambda: cloud.set_server(server(about), "error"),
        "capacity": lambda: cloud.set_capacity(about["host"], about["is"]),
        "cell_stops_answering": lambda: cloud.set_cell(about, answers=False),
        "cell_answers": lambda: cloud.set_cell(about, answers=True),
        "evacuated_by_hand": lambda: _evacuate_by_hand(cloud, server(about)),
        "guest_shuts_down": lambda: cloud.shut_guest_down(server(about)),
        "instances_change": lambda: cloud.touch_servers(about),
        "live_migration": lambda: cloud.live_migrate(server(about["name"]), about["to"]),
        "live_migration_ends": lambda: cloud.end_live_migration(server(about["name"]), about["status"]),
        "lose_casts": lambda: cloud.lose_casts(about),
        "nova_fault": lambda: cloud.faults.add(Rule(**about)),
        "nova_faults_end": cloud.faults.clear,
        "owner_deletes": lambda: cloud.ask_to_delete(server(about)),
    }
    if what not in do:
        return False
    do[what]()
    return True


def _evacuate_by_hand(cloud: Cloud, server_id: str) -> None:
    """Do as an operator does with `openstack server evacuate`, beside us."""
    admin = cloud.identity.users["admin"]
    with cloud.world():
        token = cloud.identity.issue(admin, admin.project.id)
    cloud.evacuate(server_id, token)
