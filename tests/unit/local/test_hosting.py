import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from local.files import repository
from local.hosting import Backend, Call, InProcess, Isolated
from local.troubles import HostingError
from stack import Function

MakeFunction = Callable[[str, str], Function]
ECHO = """
lines = [request.method, request.full_path, request.headers.get("X-Name", ""), request.get_data(as_text=True)]
return "\\n".join(lines), 201, [("Set-Cookie", "a"), ("Set-Cookie", "b")]
"""
GET = Call("GET", "/", {})


@pytest.fixture(params=[InProcess, Isolated])
def host(request: pytest.FixtureRequest) -> Iterator[Callable[..., Backend]]:
    """Hosts functions in either way, and ends them."""
    started: list[Backend] = []

    def start(*functions: Function) -> Backend:
        started.append(request.param(functions, os.environ))
        return started[-1]

    yield start
    for backend in started:
        backend.stop()


def test_a_request_reaches_the_function_as_it_was_sent(
    host: Callable[..., Backend], make_function: MakeFunction
) -> None:
    backend = host(make_function("echo", ECHO))

    answer = backend.call("echo", Call("PUT", "/v1/a%20b/%2541?x=%20&y=1", {"X-Name": "n"}, b"body"))

    assert answer.code == 201
    assert answer.body.decode().split("\n") == ["PUT", "/v1/a b/%41?x=%20&y=1", "n", "body"]
    assert [value for key, value in answer.headers if key == "Set-Cookie"] == ["a", "b"]


@pytest.mark.parametrize("path", ["/v1/../_/health", "//other/_/health", "/./x"])
def test_a_path_is_not_rewritten_on_its_way(
    host: Callable[..., Backend], make_function: MakeFunction, path: str
) -> None:
    backend = host(make_function("echo", 'return request.environ["PATH_INFO"]'))

    answer = backend.call("echo", Call("GET", path, {}))

    assert answer.code == 308 or answer.body.decode() == path  # Flask itself merges slashes


def test_functions_whose_files_have_the_same_name_do_not_meet(
    host: Callable[..., Backend], make_function: MakeFunction
) -> None:
    backend = host(*(make_function(f"fn-{n}", f"return '{n}'") for n in "abc"))

    assert [backend.call(f"fn-{n}", GET).body for n in "abc"] == [b"a", b"b", b"c"]


def test_an_error_of_a_function_is_its_answer_500(host: Callable[..., Backend], make_function: MakeFunction) -> None:
    backend = host(make_function("broken", "raise RuntimeError('no')"))

    assert backend.call("broken", GET).code == 500


def test_cookies_of_one_caller_are_not_sent_for_another(
    host: Callable[..., Backend], make_function: MakeFunction
) -> None:
    backend = host(make_function("cookie", "return request.headers.get('Cookie', ''), 200, {'Set-Cookie': 'id=1'}"))

    assert [backend.call("cookie", GET).body for _ in range(2)] == [b"", b""]


def test_a_function_is_called_many_times_at_once(host: Callable[..., Backend], make_function: MakeFunction) -> None:
    backend = host(make_function("slow", "import time; time.sleep(0.2); return request.args['n']"))

    begun = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: backend.call("slow", Call("GET", f"/?n={n}", {})).body, range(16)))

    assert answers == [str(n).encode() for n in range(16)]
    assert time.monotonic() - begun < 2


def test_an_isolated_function_that_dies_is_started_again_at_its_next_call(make_function: MakeFunction) -> None:
    backend = Isolated([make_function("pid", "return str(os.getpid())")], os.environ)
    try:
        first = backend.call("pid", GET).body
        process = psutil.Process(backend.pids()["pid"])
        for part in (process, *process.children(recursive=True)):
            part.kill()
        process.wait()

        second = backend.call("pid", GET)
    finally:
        backend.stop()

    assert second.code == 200
    assert second.body != first


def test_an_isolated_function_that_dies_in_a_call_is_a_bad_gateway(make_function: MakeFunction) -> None:
    backend = Isolated([make_function("dying", "os.kill(os.getpid(), 9)")], os.environ)
    try:
        assert backend.call("dying", GET).code == 502
    finally:
        backend.stop()


def test_an_isolated_function_sees_its_own_environment_without_placeholders(make_function: MakeFunction) -> None:
    made = make_function("env", "return os.environ['A'] + os.environ.get('B', '-')")
    backend = Isolated([Function(made.name, made.folder, environment={"A": "1", "B": "${X:-y}"})], os.environ)
    try:
        assert backend.call("env", GET).body == b"1-"
    finally:
        backend.stop()


def test_stopping_leaves_no_process_behind(make_function: MakeFunction) -> None:
    backend = Isolated([make_function("one", "return '1'"), make_function("two", "return '2'")], os.environ)
    processes = [psutil.Process(pid) for pid in backend.pids().values()]
    everything = [*processes, *(child for process in processes for child in process.children(recursive=True))]

    backend.stop()

    assert psutil.wait_procs(everything, timeout=5)[1] == []


def test_isolated_functions_end_when_their_runtime_is_killed(make_function: MakeFunction) -> None:
    made = make_function("one", "return '1'")
    program = f"""
import os, pathlib, time
from local.hosting import Isolated
from stack import Function
backend = Isolated([Function({made.name!r}, pathlib.Path({str(made.folder)!r}))], os.environ)
print(backend.pids()["one"], flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=repository(), stdout=subprocess.PIPE, text=True) as runtime:
        assert runtime.stdout is not None
        process = psutil.Process(int(runtime.stdout.readline()))
        everything = [process, *process.children(recursive=True)]
        runtime.kill()

        assert psutil.wait_procs(everything, timeout=10)[1] == []


def test_a_function_that_does_not_start_is_named_and_the_others_are_ended(make_function: MakeFunction) -> None:
    good, bad = make_function("good", "return ''"), make_function("bad", "return ''")
    bad.source.write_text("import sys\nsys.exit('misconfigured')\n")
    before = set(psutil.Process().children(recursive=True))

    with pytest.raises(HostingError, match="bad ended with code 1 before it was ready"):
        Isolated([good, bad], os.environ)

    assert set(psutil.Process().children(recursive=True)) <= before
