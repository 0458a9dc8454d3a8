"""Sentry and OpenTelemetry: only when asked for, and nothing of a person leaves."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import sentry_sdk
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory, override_settings
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from authsvc import telemetry
from core import http
from core.errors import CallFailed
from scripts.services import free_port
from tests.core.wire import Act, Wire, answering, closed_port, serving
from tests.databases import copy_sqlite
from tests.processes import running, until

PHONE, CODE = "+85251234567", "482913"
VERIFY = "hub.mode=subscribe&hub.verify_token=the-verify-token&hub.challenge=1"


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What would have gone to Sentry."""
    events: list[dict[str, Any]] = []

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(item.payload.json for item in envelope.items if item.payload.json)

    with override_settings(SENTRY_DSN="https://key@sentry.example/1"):
        telemetry._start_sentry(transport=Transport)
        yield events
    sentry_sdk.init()


def test_an_error_goes_out_without_numbers_codes_and_variables(sent: list[dict[str, Any]]) -> None:
    """P2."""

    def fails(phone: str, code: str) -> None:
        typed = {"code": code}
        raise ValueError(f"cannot read {phone}, {len(typed)} codes")

    try:
        fails(PHONE, CODE)
    except ValueError:
        sentry_sdk.capture_exception()
    sentry_sdk.flush()

    (event,) = sent
    text = json.dumps(event)
    assert "cannot read" in text
    assert PHONE[4:] not in text
    assert CODE not in text


def test_of_a_request_only_method_and_path_are_kept() -> None:
    event = {
        "request": {
            "method": "GET",
            "url": f"https://login.example/whatsapp/webhook?{VERIFY}",
            "query_string": VERIFY,
            "cookies": {"sessionid": "a-session"},
            "headers": {"Authorization": "Bearer a-token"},
            "data": {"code": CODE},
        },
        "user": {"ip_address": "203.0.113.9"},
        "extra": {"sys.argv": ["x"]},
        "tags": [("phone", PHONE)],
    }

    kept = telemetry.scrubbed(event, {})

    assert kept["request"] == {"method": "GET", "url": "https://login.example/whatsapp/webhook"}
    assert set(kept) == {"request", "tags"}
    assert PHONE not in str(kept)


NAME = "AaISGM3LcSS05cKQIUCmDQAAAAAAAAABsOYt9zXvu-x1AASOO8aj6P31HOQXZtShvTbIPdQF"


@pytest.mark.parametrize("tail", ["", "/verify", "/send?x=1"])
def test_the_id_of_a_challenge_stays_here(tail: str) -> None:
    """P2: in the API it is a bearer value, and part of the path."""
    path = f"/api/v1/challenges/{NAME}{tail}"
    shown = f"/api/v1/challenges/{{id}}{tail.partition('?')[0]}"
    event = {"request": {"method": "POST", "url": f"https://login.example{path}"}}

    class Span:
        attributes: ClassVar = dict.fromkeys(("http.target", "url.path", "url.full", "http.method"), path)
        written: ClassVar[dict[str, str]] = {}

        def set_attribute(self, name: str, value: str) -> None:
            self.written[name] = value

    span = Span()
    telemetry.drop_query(span, RequestFactory().post(path), None)

    assert telemetry.scrubbed(event, {})["request"]["url"] == f"https://login.example{shown}"
    assert span.written == dict.fromkeys(("http.target", "url.path", "url.full"), shown)


@pytest.mark.parametrize("name", ["SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT"])
def test_missing_packages_are_one_clear_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sentry_sdk", "opentelemetry", "opentelemetry.exporter.otlp.proto.http.trace_exporter"):
        monkeypatch.setitem(sys.modules, module, None)

    asked = override_settings(**{name: "https://key@collector.example/1"})
    with asked, pytest.raises(ImproperlyConfigured, match=r"requirements/telemetry\.txt"):
        telemetry.start()


def test_nothing_is_loaded_unless_asked_for() -> None:
    """Nor httpx, by which only the doctor, the demo and the simulator call."""
    script = (
        "import django; django.setup(); import authsvc.urls, otp.tasks, sys; "
        "print([name for name in ('sentry_sdk', 'opentelemetry.instrumentation', 'httpx') if name in sys.modules])"
    )
    with running(["-c", script], AUTHSVC_MODE="test", DJANGO_SETTINGS_MODULE="authsvc.settings") as process:
        assert process.process.wait(timeout=60) == 0
        until(lambda: process.lines, "its line", 5)

    assert process.lines == ["[]"]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Where spans of calls end up."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(http.HttpClient, "exchange", http.HttpClient.exchange)  # to be restored
    telemetry.trace_calls(provider.get_tracer("test"))
    return exporter


def test_a_call_is_a_span_without_path_query_and_token(spans: InMemorySpanExporter) -> None:
    """P2: the query of a call can be a token, the path an account."""
    client = http.HttpClient()
    with serving(answering(418, {"code": CODE})) as server:
        url, token = f"{server.url}/a-path?a=secret", {"Authorization": "token"}
        client.post(url, content=CODE.encode(), headers=token)
    client.close()

    (span,) = spans.get_finished_spans()
    host, _, port = url.removeprefix("http://").partition("/")[0].partition(":")
    assert (span.name, span.kind) == ("POST", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "http.request.method": "POST",
        "server.address": host,
        "server.port": int(port),
        "http.response.status_code": 418,
    }


@pytest.mark.parametrize(
    ("act", "error"),
    [(Wire.close, http.AnswerLost), (None, CallFailed)],
)
def test_a_call_that_fails_is_a_span_with_an_error(
    act: Act | None, error: type[Exception], spans: InMemorySpanExporter
) -> None:
    client = http.HttpClient()
    with serving(act or Wire.close) as server, pytest.raises(error):
        client.get(server.url if act else f"http://127.0.0.1:{closed_port()}", headers={})
    client.close()

    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok
    assert "http.response.status_code" not in (span.attributes or {})


class Collector:
    """Takes what an exporter posts."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.close()


@pytest.mark.processes
def test_traces_of_requests_arrive_without_their_queries(collector: Collector, tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "AUTHSVC_MODE": "test",
        "AUTHSVC_VAR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/traced.sqlite3",
        "PORT": str(port),
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server.server_port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    copy_sqlite(tmp_path / "traced.sqlite3")
    with running(["manage.py", "serve"], **environment) as process:
        process.wait_for(f"http://localhost:{port}/readyz")
        httpx.get(f"http://localhost:{port}/whatsapp/webhook?{VERIFY}")
        until(lambda: any(b"whatsapp/webhook" in body for body in collector.bodies), "the span", 20)

    assert any(b"authsvc" in body for body in collector.bodies)
    assert not any(b"the-verify-token" in body for body in collector.bodies)
