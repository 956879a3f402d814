"""What an installation promises of a segment, and whether it holds."""

from instance_ha.models.readiness import SegmentReadiness
from instance_ha.models.text import names_in_words


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
        parts.append(f"it survives the loss of {found.survives} hosts, and {survives} are promised")
    if names := found.unfenceable:
        parts.append(f"{len(names)} of its hosts could not be fenced: {names_in_words(names)}")
    return "; ".join(parts) or None
