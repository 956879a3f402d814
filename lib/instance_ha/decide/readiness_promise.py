"""What an installation promises of a segment, and whether it holds."""

from instance_ha.models.readiness import SegmentReadiness

_NAMED = 3  # hosts


def trouble(found: SegmentReadiness, survives: int, before: str | None) -> str | None:
    """Say what of the promise is broken: that so many hosts may die, and that each could be fenced; None: it holds.

    Args:
        found: what was found.
        survives: how many hosts of a segment shall be able to die.
        before: what was broken until now. It is so still when it is not known any more whether it is.

    """
    if found.survives is None and before is not None:
        return before
    parts = []
    if found.survives is not None and found.survives < survives:
        parts.append(f"it survives the loss of {found.survives} hosts, promised: {survives}")
    if names := found.unfenceable:
        more = ", …" if len(names) > _NAMED else ""
        parts.append(f"{len(names)} of its hosts could not be fenced: {', '.join(names[:_NAMED])}{more}")
    return "; ".join(parts) or None
