import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local.cron import Cron, next_time
from local.hosting import Call, Response
from stack import Function

BEGIN = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
EVERY_MINUTE = Function("sweep", Path(), schedule="* * * * *")


class FakeClock:
    """Time that passes only by waiting; ends after so many waits."""

    def __init__(self, waits: int, early: timedelta = timedelta()) -> None:
        self.time = BEGIN
        self.left = waits
        self.early = early
        self.over = threading.Event()

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> bool:
        if not self.left:
            self.over.set()
            return True
        self.left -= 1
        self.time += timedelta(seconds=seconds) - self.early
        return False


def run(clock: FakeClock, function: Function, invoke: Callable[[str, Call], Response]) -> None:
    cron = Cron([Function("unscheduled", Path()), function], invoke, clock.now, clock.wait, "token")
    cron.start()
    assert clock.over.wait(5)
    cron.stop()


def test_a_function_is_called_at_each_time_of_its_schedule() -> None:
    clock = FakeClock(3)
    calls: list[tuple[datetime, str, Call]] = []

    def invoke(name: str, call: Call) -> Response:
        calls.append((clock.time, name, call))
        return Response(204, (), b"")

    run(clock, EVERY_MINUTE, invoke)

    assert [time.strftime("%H:%M:%S") for time, _, _ in calls] == ["12:01:00", "12:02:00", "12:03:00"]
    assert {name for _, name, _ in calls} == {"sweep"}
    assert {(call.method, call.path, call.body) for _, _, call in calls} == {("POST", "/", b"")}
    assert calls[0][2].headers == {"Content-Type": "text/plain", "Authorization": "Bearer token"}


def test_a_wait_that_ends_early_does_not_make_one_minute_fire_twice() -> None:
    clock = FakeClock(3, early=timedelta(milliseconds=2))
    times: list[datetime] = []

    def invoke(_name: str, _call: Call) -> Response:
        times.append(clock.time)
        return Response(204, (), b"")

    run(clock, EVERY_MINUTE, invoke)

    assert [(time + timedelta(seconds=1)).minute for time in times] == [1, 2, 3]


def test_times_that_pass_during_a_long_call_are_left_out() -> None:
    clock = FakeClock(2)
    times: list[datetime] = []

    def invoke(_name: str, _call: Call) -> Response:
        times.append(clock.time)
        clock.time += timedelta(minutes=2, seconds=30)
        return Response(204, (), b"")

    run(clock, EVERY_MINUTE, invoke)

    assert [time.strftime("%H:%M:%S") for time in times] == ["12:01:00", "12:04:00"]


def test_a_call_that_fails_does_not_end_the_schedule() -> None:
    calls: list[str] = []

    def invoke(name: str, _call: Call) -> Response:
        calls.append(name)
        if len(calls) == 1:
            raise OSError("broken")
        return Response(500, (), b"")

    run(FakeClock(3), EVERY_MINUTE, invoke)

    assert calls == ["sweep"] * 3


def test_stopping_ends_a_wait_at_once() -> None:
    cron = Cron([Function("yearly", Path(), schedule="0 0 1 1 *")], lambda *_: Response(200, (), b""))
    cron.start()
    cron.stop(5)

    assert not any(thread.name == "cron-yearly" for thread in threading.enumerate())


def test_the_next_time_is_always_later() -> None:
    on_the_minute = BEGIN.replace(second=0)

    assert next_time("* * * * *", on_the_minute) == on_the_minute + timedelta(minutes=1)


def test_a_function_that_shall_not_wait_for_its_first_time_is_called_at_once() -> None:
    calls: list[str] = []

    def invoke(name: str, _call: Call) -> Response:
        calls.append(name)
        return Response(204, (), b"")

    functions = [Function(name, Path(), schedule="0 0 1 1 *") for name in ("sweep", "purge")]
    cron = Cron(functions, invoke, wait=lambda _seconds: True, at_once=("sweep",))
    cron.start()
    cron.stop()

    assert calls == ["sweep"]
