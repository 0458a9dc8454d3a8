"""Calls that wait for one at work become one; each returns or raises what is its own."""

import threading
from collections.abc import Sequence

import pytest
from structlog.contextvars import bound_contextvars, get_contextvars

from core.coalescing import Coalescer
from tests.processes import until


class Refused(Exception):
    pass


class Recorder:
    """Keeps what it is called with. The first call waits until the test lets it go on; "bad" is refused."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.threads: list[str] = []
        self.contexts: list[dict[str, object]] = []
        self.is_at_work, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[str]) -> None:
        self.calls.append(list(items))
        self.threads.append(threading.current_thread().name)
        self.contexts.append(dict(get_contextvars()))
        self.is_at_work.set()
        assert self.may_go_on.wait(20)
        if "bad" in items:
            raise Refused(",".join(items))


class Callers:
    """Threads with a call each, the first of which is at work while the others arrive in their order."""

    def __init__(self, recorder: Recorder, *, most: int = 10) -> None:
        self.recorder = recorder
        self.coalescer = Coalescer[str](recorder, most=most)
        self.ended: dict[str, Exception | None] = {}

    def _call(self, name: str, items: Sequence[str]) -> None:
        try:
            with bound_contextvars(request_id=name):
                self.coalescer(items)
                assert get_contextvars()["request_id"] == name
            self.ended[name] = None
        except Exception as error:  # noqa: BLE001 # looked at by the test
            self.ended[name] = error

    def run(self, *calls: Sequence[str]) -> None:
        names = [f"caller-{number}" for number in range(len(calls))]
        threads = [
            threading.Thread(target=self._call, args=(name, items), name=name)
            for name, items in zip(names, calls, strict=True)
        ]
        threads[0].start()
        assert self.recorder.is_at_work.wait(20)
        for number, thread in enumerate(threads[1:], 1):
            thread.start()
            until(lambda number=number: len(self.coalescer._waiting) == number, "the call waits")  # type: ignore[misc] # a default
        self.recorder.may_go_on.set()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_a_lone_call_is_passed_on_as_it_is(recorder: Recorder) -> None:
    recorder.may_go_on.set()
    items = ["a", "b"]

    with bound_contextvars(request_id="mine"):
        Coalescer[str](recorder, most=1)(items)

    assert recorder.calls == [items]
    assert recorder.contexts[0]["request_id"] == "mine"
    assert recorder.threads == [threading.current_thread().name]


def test_what_waits_becomes_one_call(recorder: Recorder) -> None:
    callers = Callers(recorder)

    callers.run(["a"], ["b"], ["c", "d"], ["e"])

    assert recorder.calls == [["a"], ["b", "c", "d", "e"]]
    assert list(callers.ended.values()) == [None] * 4


@pytest.mark.parametrize(
    ("most", "calls"),
    [
        (1, [["a"], ["b"], ["c", "d"], ["e"]]),
        (2, [["a"], ["b"], ["c", "d"], ["e"]]),
        (3, [["a"], ["b", "c", "d"], ["e"]]),
        (4, [["a"], ["b", "c", "d", "e"]]),
    ],
)
def test_no_more_items_than_allowed_unless_one_call_has_them(
    recorder: Recorder, most: int, calls: list[list[str]]
) -> None:
    callers = Callers(recorder, most=most)

    callers.run(["a"], ["b"], ["c", "d"], ["e"])

    assert recorder.calls == calls
    assert list(callers.ended.values()) == [None] * 4


def test_a_call_of_several_is_in_the_log_of_none_of_them(recorder: Recorder) -> None:
    Callers(recorder).run(["a"], ["b"], ["c"])

    assert recorder.contexts == [{"request_id": "caller-0"}, {}]


def test_what_fails_for_several_is_done_again_by_each(recorder: Recorder) -> None:
    callers = Callers(recorder)

    callers.run(["a"], ["b"], ["bad"], ["c"])

    assert recorder.calls[:2] == [["a"], ["b", "bad", "c"]]
    assert sorted(recorder.calls[2:]) == [["b"], ["bad"], ["c"]]
    again = {items[0]: name for items, name in zip(recorder.calls, recorder.threads, strict=True)}
    assert (again["bad"], again["c"]) == ("caller-2", "caller-3")
    assert {name: str(error) for name, error in callers.ended.items() if error} == {"caller-2": "bad"}
    assert isinstance(callers.ended["caller-2"], Refused)


def test_what_fails_for_one_is_not_done_again(recorder: Recorder) -> None:
    callers = Callers(recorder)

    callers.run(["bad"], ["a"])

    assert recorder.calls == [["bad"], ["a"]]
    assert [type(error) for error in (callers.ended["caller-0"], callers.ended["caller-1"])] == [
        Refused,
        type(None),
    ]


def test_after_a_failure_it_goes_on(recorder: Recorder) -> None:
    recorder.may_go_on.set()
    coalescer = Coalescer[str](recorder, most=5)

    with pytest.raises(Refused, match="bad"):
        coalescer(["bad"])
    coalescer(["a"])

    assert recorder.calls == [["bad"], ["a"]]


def test_an_exit_is_nobodys_success(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no Exception stops the call of several as well."""
    monkeypatch.setattr("tests.core.test_coalescing.Refused", SystemExit)
    callers = Callers(recorder)
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: None)

    callers.run(["a"], ["b"], ["bad"])

    assert recorder.calls[:2] == [["a"], ["b", "bad"]]
    assert sorted(recorder.calls[2:]) == [["b"], ["bad"]]
    assert callers.ended == {"caller-0": None, "caller-1": None}  # the third has ended its thread


def test_under_load_everything_is_done_once_and_nobody_waits_for_ever() -> None:
    done: list[int] = []
    sizes: list[int] = []

    def act(items: Sequence[int]) -> None:
        sizes.append(len(items))
        done.extend(items)

    coalescer = Coalescer[int](act, most=8)

    def call(first: int) -> None:
        for number in range(first, first + 200):
            coalescer([number])
            assert number in done[-2000:]

    threads = [threading.Thread(target=call, args=(first * 200,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(done) == list(range(1600))
    assert max(sizes) <= 8
