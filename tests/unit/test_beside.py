"""Something done later, or again and again beside what takes long."""

import threading

import pytest
from instance_ha.beside import beside, later


def test_it_is_done_again_and_again_while_the_block_lasts_and_not_afterwards() -> None:
    done, times = threading.Event(), []

    def work() -> None:
        times.append(threading.current_thread())
        if len(times) == 3:
            done.set()

    with beside(work, 0.001):
        assert done.wait(30)
    assert threading.main_thread() not in times
    assert not times[0].is_alive()


def test_it_ends_with_a_block_that_raises() -> None:
    begun, threads = threading.Event(), []

    def work() -> None:
        threads.append(threading.current_thread())
        begun.set()

    with pytest.raises(ZeroDivisionError), beside(work, 0.001):
        begun.wait(30)
        raise ZeroDivisionError
    assert not threads[0].is_alive()


def test_what_is_to_be_done_later_is_done_in_a_thread_that_keeps_no_process_from_its_end() -> None:
    done, threads = threading.Event(), []

    def work() -> None:
        threads.append(threading.current_thread())
        done.set()

    later(0.001, work)
    assert done.wait(30)
    assert threads[0].daemon
    assert threads[0] is not threading.main_thread()
