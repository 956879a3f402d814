"""What a function's main.py declares itself with, and what serves it: ``python -m instance_ha.serving FOLDER``."""

from instance_ha.serving.kinds import (
    api_function,
    console_function,
    cron_function,
    event_function,
    monitor_function,
    purge_function,
)

__all__ = ["api_function", "console_function", "cron_function", "event_function", "monitor_function", "purge_function"]
