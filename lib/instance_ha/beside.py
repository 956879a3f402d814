"""Something done later, or again and again beside what takes long, in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context


@contextmanager
def beside(work: Callable[[], None], interval: float) -> Iterator[None]:
    """Do ``work`` each ``interval`` seconds while the block lasts; when the block has ended it is done no more."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(interval):
            work()

    thread = threading.Thread(target=copy_context().run, args=(run,), daemon=True, name="beside")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def later(seconds: float, work: Callable[[], None]) -> None:
    """Do ``work`` after so many seconds; it keeps no process from its end."""
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
