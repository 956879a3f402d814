"""What an installation promises of a segment, and whether it holds."""

from instance_ha.models.readiness import SegmentReadiness
from instance_ha.models.text import counted, names_in_words


def trouble(found: SegmentReadiness, survives: int, known_before: int | None) -> str | None:
    """Say what of the promise is broken: that so many hosts may die, and that each could be fenced; None: it holds.

    Args:
        found: what was found.
        survives: how many hosts of a segment shall be able to die; all of them, where it has fewer.
        known_before: how many could die when that was known last. It counts while it is not known.

    """
    promised = min(survives, len(found.hosts))
    known = known_before if found.survives is None else found.survives
    parts = []
    if known is not None and known < promised:
        parts.append(f"it survives the loss of {counted(known, 'host')} (promised: {promised})")
    if names := found.unfenceable:
        parts.append(f"{len(names)} of its hosts could not be fenced: {names_in_words(names)}")
    return "; ".join(parts) or None
