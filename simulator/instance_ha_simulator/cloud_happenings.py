"""What may happen in the cloud of a scenario while it lasts, beside hosts that die."""

from collections.abc import Callable
from functools import partial
from typing import Any

from instance_ha_simulator.cloud import people
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.faults import Rule

_VERBS = {
    "stops": "os-stop",
    "starts": "os-start",
    "pauses": "pause",
    "unpauses": "unpause",
    "suspends": "suspend",
    "resumes": "resume",
    "reboots": "reboot-hard",
}


def happen(cloud: Cloud, server: Callable[[str], str], what: str, about: Any) -> bool:
    """Let it happen; False if it is none of these. ``server`` finds a server's id by its name."""
    do: dict[str, Callable[[], object]] = {
        "breaks": lambda: cloud.set_server(server(about), "error"),
        "capacity": lambda: cloud.set_capacity(about["host"], about["is"]),
        "cell_stops_answering": lambda: cloud.set_cell(about, answers=False),
        "cell_answers": lambda: cloud.set_cell(about, answers=True),
        "controller_stops": lambda: cloud.set_controller(about, reports=False),
        "controller_starts": lambda: cloud.set_controller(about, reports=True),
        "evacuated_by_hand": lambda: people.operator_evacuates(cloud, server(about)),
        "guest_shuts_down": lambda: cloud.shut_guest_down(server(about)),
        "delete_server": lambda: cloud.delete_server(server(about)),
        "instances_change": lambda: cloud.touch_servers(about),
        "live_migration": lambda: cloud.live_migrate(server(about["name"]), about["to"]),
        "live_migration_switches": lambda: cloud.switch_live_migration(server(about)),
        "live_migration_ends": lambda: cloud.end_live_migration(server(about["name"]), about["status"]),
        "lose_casts": lambda: cloud.lose_casts(about),
        "nova_fault": lambda: cloud.faults.add(Rule(**about)),
        "nova_faults_end": cloud.faults.clear,
        "operator_resets": lambda: people.operator_resets(cloud, server(about["name"]), about["to"]),
        "owner_deletes": lambda: people.owner_deletes(cloud, server(about)),
        "lock_server": lambda: people.operator_locks(cloud, server(about)),
        "user_locks": lambda: people.owner_locks(cloud, server(about)),
        "user_unlocks": lambda: people.owner_unlocks(cloud, server(about)),
        "enable_service": lambda: people.operator_switches(cloud, about, enabled=True),
        "disable_service": lambda: people.operator_switches(cloud, about, enabled=False),
        "stop_compute": lambda: cloud.stop_compute(about),
        "tokens_expire": cloud.identity.expire_all,
        "user_resizes": lambda: people.owner_resizes(cloud, server(about)),
        **{
            f"user_{verb}": partial(people.owner_acts, cloud, server(about), action)
            for verb, action in _VERBS.items()
            if what == f"user_{verb}"
        },
    }
    if what not in do:
        return False
    do[what]()
    return True
