"""Receives requests from granian: bodies arrive without occupying a thread, complete requests are served by threads.

granian calls `RequestReader.take` from one thread of its own and announces bodies in the same thread, so nothing here
may block. A body that is too large, too slow or unsigned is refused without calling the application.
"""

import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from queue import SimpleQueue
from typing import Any, NoReturn, Protocol

import structlog

from core import metrics
from ops.webserver import bodies
from ops.webserver.bodies import BodyRule, Refusal
from ops.webserver.environ import Application, Exchange, Scope, answer

log = structlog.get_logger(__name__)

# Complete requests that wait for a thread; any more are answered 503.
MOST_WAITING = 1000
# Bodies being received in this process. Small ones are counted separately, so that large ones cannot block them.
MOST_SMALL_BODIES, MOST_LARGE_BODIES = 1000, 16
SMALL = 64 * bodies.KIB
_DEADLINE_INTERVAL = 0.25
# Served by separate threads, because they must answer while all others are busy.
PROBES = ("/metrics", "/readyz")
_HEALTHY: list[tuple[str, str]] = [("content-type", "application/json")]


class Arriving(Protocol):
    """granian's PyFutureAwaitable."""

    def add_done_callback(self, callback: Any) -> None: ...  # noqa: ANN401 # granian's
    def result(self) -> bytes: ...
    def cancel(self) -> bool: ...


class Incoming(Exchange, Protocol):
    """granian's RSGIHTTPProtocol: returns the body, as a whole or in chunks, and accepts the response."""

    def __call__(self) -> Arriving: ...
    def __aiter__(self) -> "Incoming": ...
    def __anext__(self) -> Arriving: ...


class Request(Protocol):
    """granian's CallbackWatcherHTTP."""

    @property
    def scope(self) -> Scope: ...
    @property
    def proto(self) -> Incoming: ...


@dataclass(eq=False, kw_only=True)
class _Body:
    """A body that is being received."""

    request: Request
    rule: BodyRule
    deadline: float
    is_large: bool
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0
    arriving: Arriving | None = None


class RequestReader:
    """One for each web process. `threads`: how many requests the application serves at once."""

    def __init__(self, application: Application, *, threads: int) -> None:
        self._application = application
        self._waiting: SimpleQueue[tuple[Request, bytes]] = SimpleQueue()
        self._probes: SimpleQueue[tuple[Request, bytes]] = SimpleQueue()
        self._bodies: dict[int, _Body] = {}
        self._large = 0
        self._lock = threading.Lock()
        self._any_body = threading.Event()
        for number in range(threads):
            self._start_thread(f"web-{number}", self._work, self._waiting)
        for number in range(2):
            self._start_thread(f"web-probe-{number}", self._work, self._probes)
        self._start_thread("web-deadlines", self._watch_deadlines)

    @staticmethod
    def _start_thread(name: str, target: Any, *arguments: object) -> None:  # noqa: ANN401 # a function
        threading.Thread(target=target, args=arguments, name=name, daemon=True).start()

    def take(self, request: Request) -> None:
        """Called when granian has read the headers of a request. Never raises: granian would drop the exception."""
        try:
            self._take(request)
        except Exception as error:  # nothing above can answer the request
            log.exception("web.request_lost", error=type(error).__name__)
            _refuse(request, bodies.refusal(HTTPStatus.INTERNAL_SERVER_ERROR, ""))

    def _take(self, request: Request) -> None:
        scope = request.scope
        path, headers = scope.path, scope.headers
        if len(headers.get_all("host")) > 1:
            return _refuse(request, bodies.refusal(HTTPStatus.BAD_REQUEST, path))
        declared = headers.get("content-length")
        if declared in (None, "0") and "transfer-encoding" not in headers:
            if path == "/healthz" and scope.method in ("GET", "HEAD"):
                request.proto.response_bytes(200, _HEALTHY, b'{"status": "ok"}')
            else:
                self._enqueue(request, b"")
            return None
        rule = bodies.rule_for(path)
        refusal = bodies.refusal_before_reading(rule, path=path, declared=declared, header=headers.get)
        if refusal:
            if rule.webhook:
                metrics.WEBHOOKS.labels(rule.webhook, str(refusal.status)).inc()
            return _refuse(request, refusal)
        return self._read(request, rule, declared)

    # Bodies --------------------------------------------------------------------------------------

    def _read(self, request: Request, rule: BodyRule, declared: str | None) -> None:
        is_large = (rule.limit if declared is None else int(declared)) > SMALL
        body = _Body(request=request, rule=rule, deadline=time.monotonic() + rule.seconds, is_large=is_large)
        if not self._admit(body):
            return _refuse(request, bodies.refusal(HTTPStatus.SERVICE_UNAVAILABLE, request.scope.path))
        if declared is None:
            request.proto.__aiter__()  # opens granian's stream
            self._next_chunk(body)
        else:  # granian enforces the declared length
            body.arriving = request.proto()
            body.arriving.add_done_callback(lambda arrived: self._on_body(body, arrived))
        return None

    def _next_chunk(self, body: _Body) -> None:
        body.arriving = body.request.proto.__anext__()
        body.arriving.add_done_callback(lambda arrived: self._on_chunk(body, arrived))

    def _on_chunk(self, body: _Body, arrived: Arriving) -> None:
        if id(body) not in self._bodies:
            return
        chunk = _bytes_of(arrived)
        if chunk:
            body.chunks.append(chunk)
            body.size += len(chunk)
            if body.size > body.rule.limit:
                self._give_up(body, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            else:
                self._next_chunk(body)
        elif self._settle(body):
            self._finish(body, None if chunk is None else b"".join(body.chunks))

    def _on_body(self, body: _Body, arrived: Arriving) -> None:
        if self._settle(body):
            self._finish(body, _bytes_of(arrived))

    def _finish(self, body: _Body, content: bytes | None) -> None:
        if content is None:
            _refuse(body.request, bodies.refusal(HTTPStatus.BAD_REQUEST, body.request.scope.path))
        else:
            self._enqueue(body.request, content)

    def _admit(self, body: _Body) -> bool:
        with self._lock:
            small = len(self._bodies) - self._large
            if self._large >= MOST_LARGE_BODIES if body.is_large else small >= MOST_SMALL_BODIES:
                return False
            self._bodies[id(body)] = body
            self._large += body.is_large
        self._any_body.set()
        return True

    def _settle(self, body: _Body) -> bool:
        """Whether the caller is the one that ends the reading: arrival and deadline can coincide."""
        with self._lock:
            if self._bodies.pop(id(body), None) is None:
                return False
            self._large -= body.is_large
        # granian's object refers to the callback and the callback to the body: a cycle outside the garbage collector.
        body.arriving = None
        return True

    def _give_up(self, body: _Body, status: HTTPStatus) -> None:
        arriving = body.arriving
        if self._settle(body):
            _refuse(body.request, bodies.refusal(status, body.request.scope.path))
            if arriving:
                arriving.cancel()

    def _watch_deadlines(self) -> NoReturn:
        while True:
            self._any_body.wait()
            self._any_body.clear()
            while self._bodies:
                time.sleep(_DEADLINE_INTERVAL)
                now = time.monotonic()
                for body in [body for body in list(self._bodies.values()) if body.deadline <= now]:
                    self._give_up(body, HTTPStatus.REQUEST_TIMEOUT)

    # Complete requests ---------------------------------------------------------------------------

    def _enqueue(self, request: Request, body: bytes) -> None:
        if request.scope.path in PROBES:
            self._probes.put((request, body))
        elif self._waiting.qsize() < MOST_WAITING:
            self._waiting.put((request, body))
        else:
            _refuse(request, bodies.refusal(HTTPStatus.SERVICE_UNAVAILABLE, request.scope.path))

    def _work(self, jobs: SimpleQueue[tuple[Request, bytes]]) -> NoReturn:
        while True:
            request, body = jobs.get()
            try:
                answer(self._application, request.scope, body, request.proto)
            except Exception as error:  # the thread must survive for other requests
                log.exception("web.application_failed", error=type(error).__name__)
                _refuse(request, bodies.refusal(HTTPStatus.INTERNAL_SERVER_ERROR, request.scope.path))
            del request, body  # freed now, not at the next request


def _bytes_of(arrived: Arriving) -> bytes | None:
    """None: the connection broke, or reading was cancelled."""
    try:
        return bytes(arrived.result())
    except Exception:  # noqa: BLE001 # granian passes on any exception
        return None


def _refuse(request: Request, refusal: Refusal) -> None:
    metrics.REQUESTS_REFUSED.labels(str(refusal.status)).inc()
    log.info("web.refused", status=refusal.status)
    request.proto.response_bytes(refusal.status, refusal.headers, refusal.body)
