"""Bodies are awaited without a thread (field fault D4)."""

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from core import metrics
from ops.webserver import bodies, reader
from ops.webserver.environ import StartResponse
from ops.webserver.reader import RequestReader
from tests.ops.webserver.support import Chunks, Request, Scope, post

SIGNATURE = "sha256=" + "0a" * 32


class Application:
    """Answers with the body it got; waits where a test holds it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.entered = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        self.calls.append(environ["PATH_INFO"])
        self.entered.release()
        if environ["PATH_INFO"] == "/crash":
            raise RuntimeError("a fault of ours")
        if environ["PATH_INFO"] not in reader.PROBES:
            assert self.may_go.wait(10)
        start_response("200 OK", [])
        return Chunks([environ["wsgi.input"].read()])


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.may_go.set()


@pytest.fixture
def requests(application: Application) -> RequestReader:
    return RequestReader(application, threads=2)


def _hurry(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.05) -> None:
    monkeypatch.setattr(reader, "_DEADLINE_INTERVAL", 0.01)
    monkeypatch.setattr(bodies, "DEFAULT", bodies.BodyRule(limit=64 * bodies.KIB, seconds=seconds))


def test_a_request_without_a_body_is_answered(requests: RequestReader) -> None:
    request = Request(Scope())

    requests.take(request)

    assert request.answer == (200, b"")


def test_a_body_is_handed_over_when_it_is_whole(requests: RequestReader, application: Application) -> None:
    request = post("/login/", length=9)

    requests.take(request)

    assert application.calls == []
    request.proto.arriving[0].arrive(b"phone=123")
    assert request.answer == (200, b"phone=123")


def test_a_chunked_body_is_put_together(requests: RequestReader) -> None:
    request = post("/api/v1/challenges")

    requests.take(request)
    for chunk in (b'{"a"', b": 1}", b""):
        request.proto.arriving[-1].arrive(chunk)

    assert request.answer == (200, b'{"a": 1}')


def test_a_chunked_body_ends_at_the_limit(requests: RequestReader, application: Application) -> None:
    request = post("/login/")

    requests.take(request)
    for _ in range(5):
        if not request.proto.answered.is_set():
            request.proto.arriving[-1].arrive(b"x" * 20_000)

    assert request.answer[0] == 413
    assert len(request.proto.arriving) == 4
    assert application.calls == []


def test_d4_hundreds_of_stalled_bodies_take_no_thread(requests: RequestReader) -> None:
    stalled = [post("/login/", length=500) for _ in range(500)]

    for request in stalled:
        requests.take(request)
    other = Request(Scope())
    requests.take(other)

    assert other.answer[0] == 200
    assert not any(request.proto.answered.is_set() for request in stalled)


@pytest.mark.parametrize("length", [500, None])
def test_d4_a_slow_body_ends_by_a_deadline(
    requests: RequestReader, application: Application, monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    _hurry(monkeypatch)
    request = post("/login/", length=length)

    requests.take(request)

    assert request.answer[0] == 408
    assert request.proto.arriving[0].is_cancelled
    request.proto.arriving[0].arrive(b"too late")
    assert request.proto.answers == 1
    assert application.calls == []


def test_d4_small_bodies_have_room_of_their_own(requests: RequestReader) -> None:
    large = [
        post("/whatsapp/webhook", length=3_000_000, x_hub_signature_256=SIGNATURE)
        for _ in range(reader.MOST_LARGE_BODIES + 1)
    ]
    small = post("/whatsapp/webhook", length=900, x_hub_signature_256=SIGNATURE)

    for request in [*large, small]:
        requests.take(request)
    small.proto.arriving[0].arrive(b"{}")

    assert large[-1].answer[0] == 503
    assert small.answer == (200, b"{}")
    large[0].proto.arriving[0].arrive(b"report")
    assert large[0].answer == (200, b"report")
    late = post("/whatsapp/webhook", length=3_000_000, x_hub_signature_256=SIGNATURE)
    requests.take(late)
    assert not late.proto.answered.is_set()


def test_d4_bodies_under_way_have_an_upper_bound(
    requests: RequestReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_SMALL_BODIES", 3)
    taken = [post("/login/", length=10) for _ in range(4)]

    for request in taken:
        requests.take(request)

    assert [request.proto.answered.is_set() for request in taken] == [False, False, False, True]
    assert taken[3].answer[0] == 503


def test_p4_an_unsigned_report_is_refused_unread_and_counted(requests: RequestReader) -> None:
    request = post("/whatsapp/webhook", length=4_000_000)
    counter = metrics.WEBHOOKS.labels("whatsapp", "401")
    before = counter._value.get()

    requests.take(request)

    assert request.answer[0] == 401
    assert request.proto.arriving == []
    assert counter._value.get() == before + 1


def test_d4_health_is_answered_while_all_threads_are_busy(
    requests: RequestReader, application: Application
) -> None:
    application.may_go.clear()
    busy = [Request(Scope()) for _ in range(5)]
    for request in busy:
        requests.take(request)
    for _ in range(2):
        assert application.entered.acquire(timeout=5)
    probes = [Request(Scope(path=path)) for path in ("/healthz", "/readyz", "/metrics")]

    for request in probes:
        requests.take(request)

    assert [request.answer[0] for request in probes] == [200, 200, 200]
    assert not any(request.proto.answered.is_set() for request in busy)


def test_requests_beyond_the_queue_are_told_to_come_again(
    requests: RequestReader, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MOST_WAITING", 3)
    application.may_go.clear()
    for _ in range(2):
        requests.take(Request(Scope()))
        assert application.entered.acquire(timeout=5)
    waiting = [Request(Scope()) for _ in range(4)]

    for request in waiting:
        requests.take(request)

    assert waiting[3].answer[0] == 503
    application.may_go.set()
    assert [request.answer[0] for request in waiting[:3]] == [200, 200, 200]


def test_a_connection_that_breaks_reaches_nobody(requests: RequestReader, application: Application) -> None:
    whole, chunked = post("/login/", length=10), post("/login/")

    for request in (whole, chunked):
        requests.take(request)
        request.proto.arriving[0].arrive(OSError("reset"))

    assert (whole.answer[0], chunked.answer[0]) == (400, 400)
    assert application.calls == []


def test_two_host_headers_are_refused(requests: RequestReader) -> None:
    request = Request(Scope(pairs=[("host", "a.example"), ("host", "b.example")]))

    requests.take(request)

    assert request.answer[0] == 400


def test_a_thread_survives_a_crash(requests: RequestReader) -> None:
    crashed = [Request(Scope(path="/crash")) for _ in range(4)]
    after = Request(Scope())

    for request in [*crashed, after]:
        requests.take(request)

    assert [request.answer[0] for request in crashed] == [500] * 4
    assert after.answer[0] == 200


def test_a_fault_in_taking_is_answered(requests: RequestReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "rule_for", lambda _path: None)
    request = post("/login/", length=5)

    requests.take(request)

    assert request.answer[0] == 500
