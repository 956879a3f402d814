"""Before a recovery is called finished: each instance that has moved is seen to be well, whatever the records say."""

from collections.abc import Iterable

from instance_ha import emit, log
from instance_ha.decide.evacuation import reason_failed_since
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import VMove
from instance_ha.models.uuids import VMoveUuid
from instance_ha.planning.moved import read_moved
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import vmoves


def take_back_failed(recovery: Recovery, moves: Iterable[VMove]) -> bool:
    """Read the moved instances once more; says whether one is not well: its vmove has failed then.

    Raises CloudUnavailable when Nova does not tell of each of them.
    """
    moved = {str(move.instance_uuid): move for move in moves if move.status is VMoveStatus.SUCCEEDED}
    if not moved:
        return False
    reasons: dict[VMoveUuid, str] = {}
    for server in read_moved(recovery.nova, moved):
        move = moved[server.id]
        if (reason := reason_failed_since(move, server)) is not None:
            reasons[move.uuid] = reason
            log.get().warning("evacuation found failed", instance=move.instance_name, reason=reason)
    if reasons:
        now = recovery.world.clock.now()
        with recovery.claim.transaction() as connection:
            for uuid, reason in reasons.items():
                vmoves.take_back(connection, uuid, reason, now)
            emit.vmoves_ended(recovery.world, connection, list(reasons))
    return bool(reasons)
