"""What a function's main.py calls: it makes the function that functions-framework serves."""

import gc

gc.disable()  # the imports make objects that stay; collecting among them is a tenth of a cold start (make bench)

from instance_ha.serving.functions import (  # noqa: E402
    api_and_cron_function,
    api_function,
    cron_function,
    event_function,
    monitor_function,
)

gc.freeze()
gc.enable()

__all__ = ["api_and_cron_function", "api_function", "cron_function", "event_function", "monitor_function"]
