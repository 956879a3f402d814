"""What a function's main.py calls: it makes the function that functions-framework serves."""

from instance_ha.entry.functions import api_function, cron_function, event_function

__all__ = ["api_function", "cron_function", "event_function"]
