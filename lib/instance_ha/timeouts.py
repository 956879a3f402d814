"""A time limit for calls that have none as a whole: tasks of others. For HTTP there is ``http_limits``."""

import threading
from collections.abc import Callable
from typing import TypeVar

from instance_ha.models.errors import TimeIsUp

T = TypeVar("T")


def with_timeout(work: Callable[[], T], seconds: float) -> T:
    """Call something that might hang, and return what it returns; if it hangs, it is left to a thread of its own.

    Raises:
        TimeIsUp: it has not ended in time.

    """
    returned: list[T] = []
    raised: list[BaseException] = []
    ended = threading.Event()  # a thread in which eventlet is imported is never joined

    def run() -> None:
        try:
            returned.append(work())
        except BaseException as error:
            raised.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, daemon=True, name="with-timeout").start()
    ended.wait(seconds)
    if raised:
        raise raised[0]
    if not returned:
        raise TimeIsUp
    return returned[0]
