import pytest
from instance_ha.decide.flow_file import read
from instance_ha.decide.flows import Flow

HEAD = "[taskflow_driver_recovery_flows]\n"
OPTION = "instance_failure_recovery_tasks = "


def _known(name: str) -> bool:
    return name in {"a", "b", "c"} or name.startswith("https://")


def _tasks(value: str) -> tuple[str, ...]:
    file = read(HEAD + OPTION + value, _known)
    assert file.problems == ()
    return file.flows[Flow.INSTANCE]


def _problem(text: str) -> str:
    (problem,) = read(text, _known).problems
    return problem


@pytest.mark.parametrize(
    "value",
    [
        "pre:['a'],main:['b'],post:['c']",
        "pre:['a'],\n  main:['b'],\n  post:['c']",
        "{pre: ['a'], main: ['b'], post: ['c']}",
        'post:["c"], main:["b",], pre:["a"]',
    ],
)
def test_pre_main_and_post_run_in_this_order_however_it_is_written(value: str) -> None:
    assert _tasks(value) == ("a", "b", "c")


def test_lists_may_be_empty_and_tasks_come_twice() -> None:
    assert _tasks("pre:[],main:['a','a'],post:[]") == ("a", "a")


def test_a_url_may_hold_what_separates_elsewhere() -> None:
    url = "https://[::1]:8080/pre:[x],post:y?z={1}"
    assert _tasks(f"pre:['{url}'],main:['a'],post:[]") == (url, "a")


def test_every_option_is_a_flow_and_those_left_out_are_not_in_the_file() -> None:
    text = HEAD + "".join(f"{flow} = pre:['a'],main:[],post:[]\n" for flow in Flow)
    assert set(read(text, _known).flows) == set(Flow)
    assert read(HEAD, _known).flows == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no section"),
        ("[other]\n", "no section"),
        ("nonsense", "syntax"),
        (HEAD + OPTION + "pre:['a']\n" + OPTION + "pre:['b']", "syntax"),
        (HEAD + "vm_failure = pre:['a'],main:[],post:[]", "vm_failure"),
        (HEAD + OPTION + "['a','b']", "pre:['a_task']"),
        (HEAD + OPTION + "pre:['a'] main:['b'] post:[]", "pre:['a_task']"),
        (HEAD + OPTION + "pre:[a],main:['b'],post:[]", "pre:['a_task']"),
        (HEAD + OPTION + "pre:['a'],main:['b']", "list post is missing"),
        (HEAD + OPTION + "pre:['a'],main:[],post:[],after:[]", "after"),
        (HEAD + OPTION + "pre:['a'],main:[],post:[],pre:[]", "twice"),
        (HEAD + OPTION + "pre:[],main:[],post:[]", "no task in it"),
        (HEAD + OPTION + "pre:['x_task'],main:['a'],post:[]", "no task x_task"),
    ],
)
def test_what_is_wrong_is_said(text: str, word: str) -> None:
    assert word in _problem(text)


def test_every_problem_is_told_not_only_the_first() -> None:
    text = HEAD + OPTION + "pre:['x'],main:['y']\nother = 1\n"
    assert len(read(text, _known).problems) == 4
