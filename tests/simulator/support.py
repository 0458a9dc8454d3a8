"""Helpers of the simulator's tests: requests as our side makes them, and a receiver for the reports."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx

from simulator.gateway.signature import gateway_signature
from tests.simulator_client import SimulatorClient

PHONE = "+85251234567"
OTHER_PHONE = "+447700900123"
NUMBER_ID = "100200300400500"
BUSINESS_ID = "500400300200100"
ACCOUNT_SID = "AC00000000000000000000000000000001"
SERVICE_SID = "MG00000000000000000000000000000002"
SENDER = "+15005550006"
TOKEN = {"Authorization": "Bearer sim-access-token"}
APP_SECRET = "sim-app-secret"
GRAPH_MESSAGES = f"/v26.0/{NUMBER_ID}/messages"
TWILIO_MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request that reached the receiver."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {
            name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()
        }

    @property
    def statuses(self) -> list[dict[str, Any]]:
        return [
            status
            for entry in self.json["entry"]
            for change in entry["changes"]
            for status in change["value"].get("statuses", [])
        ]


@dataclass(slots=True)
class Receiver:
    """Plays our side: keeps what is posted to it and answers with the statuses it was told, then with 200."""

    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    verify_token: str = "sim-verify-token"
    asked: int = 405  # the answer to a GET of a path that only takes posts
    origin: str = ""
    test_number: int = 0

    @property
    def prefix(self) -> str:
        """Each test has its own: a report of the test before may still be on its way."""
        return f"/test-{self.test_number}"

    @property
    def url(self) -> str:
        return self.origin + self.prefix

    def start_test(self) -> None:
        self.test_number += 1
        self.received.clear()
        self.answers.clear()
        self.asked = 405

    def wait(self, count: int, timeout: float = 5.0) -> list[Received]:
        wait_until(lambda: len(self.received) >= count, timeout=timeout, what=f"{count} reports")
        return list(self.received)

    def statuses(self, count: int) -> list[str]:
        """The WhatsApp statuses in the order they came in, once there are as many."""
        wait_until(lambda: len(self._items()) >= count, what=f"{count} statuses")
        return [item["status"] for item in self._items()]

    def _items(self) -> list[dict[str, Any]]:
        return [status for received in list(self.received) for status in received.statuses]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers until the end."""
    receiver = Receiver()
    server = make_receiver_server(receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_receiver_server(receiver: Receiver) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not self.path.startswith(f"{receiver.prefix}/"):
                self._answer(200, b"")
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            path = self.path.removeprefix(receiver.prefix)
            receiver.received.append(Received(method="POST", path=path, headers=headers, body=body))
            self._answer(receiver.answers.pop(0) if receiver.answers else 200, b"")

        def do_GET(self) -> None:
            if self.path.endswith("/healthz"):
                self._answer(200, b"ok")
                return
            if "/sms/" in self.path:
                self._answer(receiver.asked, b"")
                return
            query = parse_qs(self.path.partition("?")[2])
            right = query["hub.verify_token"] == [receiver.verify_token]
            self._answer(200 if right else 403, query["hub.challenge"][0].encode() if right else b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    receiver.origin = f"http://127.0.0.1:{server.server_port}"
    return server


def wait_until(condition: Callable[[], bool], *, timeout: float = 5.0, what: str = "the condition") -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"{what} did not come"
        threading.Event().wait(0.005)


def template_message(
    to: str = PHONE, code: str = "482913", *, language: str = "en", **top: object
) -> dict[str, Any]:
    text = {"type": "text", "text": code}
    components = [
        {"type": "body", "parameters": [text]},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [text]},
    ]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": "template",
        "template": {"name": "one_time_password", "language": {"code": language}, "components": components},
        **top,
    }


def send_whatsapp(
    client: SimulatorClient, body: dict[str, Any] | None = None, **options: Any
) -> httpx.Response:
    return client.http.post(GRAPH_MESSAGES, json=body or template_message(), headers=TOKEN, **options)


def send_twilio(client: SimulatorClient, *, path: str = TWILIO_MESSAGES, **form: str) -> httpx.Response:
    fields = {"To": PHONE, "From": SENDER, "Body": "482913 is your Acme code.\n\n@login.acme.example #482913"}
    fields = {name: value for name, value in {**fields, **form}.items() if value}
    return client.http.post(path, data=fields, auth=(ACCOUNT_SID, "sim-auth-token"))


def send_gateway(
    client: SimulatorClient,
    *,
    secret: str = "sim-gateway-secret",
    age: int = 0,
    raw: bytes | None = None,
    **changes: object,
) -> httpx.Response:
    body = {"id": "dlv_1", "to": PHONE, "text": "Your code is 482913", "validity_seconds": 300, **changes}
    content = json.dumps(body).encode() if raw is None else raw
    signature = gateway_signature(secret=secret, timestamp=int(time.time()) - age, body=content)
    return client.http.post("/gateway/messages", content=content, headers={"X-Authsvc-Signature": signature})
