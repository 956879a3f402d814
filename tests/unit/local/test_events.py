import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from local.events import Queue
from local.hosting import Call, Response
from tests.unit.local.conftest import FakeBackend

EVENT = Call("POST", "/", {})
PAUSE = 0.01


def until(condition: Callable[[], object], limit: float = 5.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


def settle(queue: Queue) -> None:
    """Waits until there is nothing left to deliver."""
    until(lambda: not queue._waiting and queue._idle == len(queue._threads))


@pytest.mark.parametrize("code", [404, 408, 409, 429, 500, 503])
def test_an_event_is_delivered_again_after_a_passing_error(backend: FakeBackend, code: int) -> None:
    codes = iter([code, code, 204])
    backend.answer = lambda *_: Response(next(codes), (), b"")
    queue = Queue(backend, first_pause=PAUSE)

    queue.put("worker", EVENT)
    until(lambda: len(backend.calls) == 3)
    settle(queue)
    queue.stop()

    assert len(backend.calls) == 3


@pytest.mark.parametrize("code", [400, 401, 403, 413, 422])
def test_an_event_that_is_refused_for_good_is_not_delivered_again(backend: FakeBackend, code: int) -> None:
    backend.answer = lambda *_: Response(code, (), b"")
    queue = Queue(backend, first_pause=PAUSE)

    queue.put("worker", EVENT)
    until(lambda: backend.calls)
    settle(queue)
    queue.stop()

    assert len(backend.calls) == 1


def test_an_event_is_given_up_after_the_last_try(backend: FakeBackend) -> None:
    backend.answer = lambda *_: Response(503, (), b"")
    queue = Queue(backend, tries=4, first_pause=PAUSE / 10)

    queue.put("worker", EVENT)
    until(lambda: len(backend.calls) == 4)
    settle(queue)
    queue.stop()

    assert len(backend.calls) == 4


def test_each_pause_between_deliveries_is_twice_the_one_before(backend: FakeBackend) -> None:
    times: list[float] = []

    def answer(_name: str, _call: Call) -> Response:
        times.append(time.monotonic())
        return Response(503, (), b"")

    backend.answer = answer
    queue = Queue(backend, tries=4, first_pause=0.02)

    queue.put("worker", EVENT)
    until(lambda: len(times) == 4)
    queue.stop()

    pauses = [after - before for before, after in pairwise(times)]
    assert all(pause >= least for pause, least in zip(pauses, (0.02, 0.04, 0.08), strict=True))


def test_an_error_of_the_backend_counts_as_a_failed_delivery(backend: FakeBackend) -> None:
    def answer(_name: str, _call: Call) -> Response:
        if len(backend.calls) == 1:
            raise OSError("broken")
        return Response(200, (), b"")

    backend.answer = answer
    queue = Queue(backend, first_pause=PAUSE)

    queue.put("worker", EVENT)
    until(lambda: len(backend.calls) == 2)
    queue.stop()


def test_slow_functions_do_not_hold_up_other_events(backend: FakeBackend) -> None:
    release, running = threading.Event(), threading.Semaphore(0)

    def answer(name: str, _call: Call) -> Response:
        if name == "slow":
            running.release()
            release.wait(5)
        return Response(200, (), b"")

    backend.answer = answer
    queue = Queue(backend)

    for _ in range(63):
        queue.put("slow", EVENT)
    for _ in range(63):
        assert running.acquire(timeout=5)
    for _ in range(100):
        queue.put("quick", EVENT)
    until(lambda: sum(name == "quick" for name, _ in backend.calls) == 100)
    release.set()
    queue.stop()


def test_a_later_event_is_not_held_up_by_one_that_waits_for_its_next_try(backend: FakeBackend) -> None:
    backend.answer = lambda name, _: Response(503 if name == "failing" else 200, (), b"")
    queue = Queue(backend, first_pause=60)

    queue.put("failing", EVENT)
    until(lambda: backend.calls)
    queue.put("worker", EVENT)
    until(lambda: len(backend.calls) == 2)
    queue.stop()

    assert [name for name, _ in backend.calls] == ["failing", "worker"]


def test_stopping_waits_for_a_running_delivery_but_not_longer_than_its_patience(backend: FakeBackend) -> None:
    release = threading.Event()

    def answer(_name: str, _call: Call) -> Response:
        release.wait(5)
        return Response(200, (), b"")

    backend.answer = answer
    queue = Queue(backend)
    queue.put("slow", EVENT)
    until(lambda: backend.calls)

    begun = time.monotonic()
    queue.stop(patience=0.05)
    queue.put("late", EVENT)
    release.set()

    assert 0.05 <= time.monotonic() - begun < 1
    assert len(backend.calls) == 1
