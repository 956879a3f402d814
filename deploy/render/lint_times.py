"""Rules about the times of a function: a caller must wait longer than the work lasts."""

from collections.abc import Iterator, Mapping

from instance_ha.durations import seconds
from instance_ha.settings import PREFIX, Settings

_GATEWAY = 60.0  # upstream_timeout of OpenFaaS' chart; Knative takes up to 600
_MARGIN = 5.0  # the last request of an invocation may still be on its way
_SWEEP_MARGIN = 3.0  # sweep only asks Postgres and sends triggers
_NAMES = ("exec_timeout", "read_timeout", "write_timeout")


def times(name: str, own: Mapping[str, str], all_variables: Mapping[str, str]) -> Iterator[str]:
    """Check the variables of a function, together with those of the site."""
    try:
        work, read, write = (seconds(own.get(name, "")) for name in _NAMES)
    except ValueError as error:
        yield f"{', '.join(_NAMES)}: {error}"
        return
    if work > min(read, write):
        yield "exec_timeout must not be longer than read_timeout and write_timeout"
    if work > _GATEWAY:
        yield f"exec_timeout must not be longer than {_GATEWAY:.0f}s, for which OpenFaaS' gateway waits"
    setting, margin = ("sweep_time", _SWEEP_MARGIN) if name == "sweep" else ("invocation_time", _MARGIN)
    default = Settings.model_fields[setting].default
    lasts = float(all_variables.get(f"{PREFIX}{setting.upper()}", default))
    if lasts + margin > work:
        yield f"exec_timeout must be {margin:.0f} s longer than {setting.upper()} ({lasts:.0f} s)"
