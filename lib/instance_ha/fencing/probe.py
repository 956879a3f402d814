"""Whether a host could be fenced now: each rung of its ladder is asked for the power, and nothing is changed."""

from dataclasses import dataclass
from datetime import datetime

from instance_ha.models.errors import FenceRefused, FenceUnavailable
from instance_ha.models.fencing import Power, Rung
from instance_ha.models.ports import Fences


@dataclass(frozen=True)
class RungPower:
    """What one rung has answered; ``trouble`` says why it could not be used."""

    rung: Rung
    power: Power
    trouble: str | None = None


@dataclass(frozen=True)
class Readiness:
    """What the whole ladder of a host has answered."""

    host: str
    answers: tuple[RungPower, ...]

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong, a line each; none: each rung answers."""
        if not self.answers:
            return (f"{self.host}: no way to fence it",)
        found = ((one.rung, one.trouble) for one in self.answers if one.trouble is not None)
        return tuple(f"{self.host}: {rung.name}: {trouble}" for rung, trouble in found)


def probe(fences: Fences, host: str, now: datetime) -> Readiness:
    """Ask all rungs of a host's ladder, one after the other, ``now`` by Postgres' clock."""
    return Readiness(host, tuple(_ask(fences, host, rung, now) for rung in fences.ladder(host)))


def _ask(fences: Fences, host: str, rung: Rung, now: datetime) -> RungPower:
    try:
        power = fences.method(host, rung, now).power()
    except (FenceRefused, FenceUnavailable) as error:
        return RungPower(rung, Power.UNKNOWN, str(error))
    return RungPower(rung, power, "it does not know the power of the host" if power is Power.UNKNOWN else None)
