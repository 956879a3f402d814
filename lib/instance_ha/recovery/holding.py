"""What happens to a claimed row when the work on it stops before its end."""

from collections.abc import Iterator
from contextlib import contextmanager

from instance_ha import log
from instance_ha.decide.outcome import back_off
from instance_ha.models.errors import LeaseLost, TryAgain
from instance_ha.models.metrics import INTERNAL_ERRORS, LEASE_LOSSES
from instance_ha.store.leases import Lease
from instance_ha.world import World


@contextmanager
def holding(world: World, lease: Lease, tries: int) -> Iterator[None]:
    """Work on a row inside; a trouble gives it back, to be looked at again with growing pauses.

    ``tries`` is how often that has happened in a row.
    """
    try:
        yield
    except LeaseLost as error:
        world.metrics.count(LEASE_LOSSES, table=lease.table.name)
        log.get().warning("lease lost", reason=str(error))
    except TryAgain as error:
        _come_again(world, lease, tries + 1, str(error))
    except Exception as error:  # a defect of ours must not hold the row for ever
        world.metrics.count(INTERNAL_ERRORS)
        log.get().exception("work stumbled")
        _come_again(world, lease, tries + 1, f"internal error: {type(error).__name__}")


def _come_again(world: World, lease: Lease, tries: int, reason: str) -> None:
    """Give the row back; while Postgres is away, the end of the lease does."""
    log.get().warning("work waits", reason=reason, tries=tries)
    try:
        with world.database.begin() as connection:
            lease.release(connection, back_off(tries, world.clock.now()), tries=tries, message=f"waiting: {reason}")
    except (LeaseLost, TryAgain) as error:
        log.get().warning("lease not given back", reason=str(error))
