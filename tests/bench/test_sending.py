"""The providers that a benchmark plays, and its open loop."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bench.load import signature
from bench.providers import REPORT_AFTER_SECONDS, Providers, running
from bench.sending import OpenLoop, failure, wait_until
from scripts.services import free_port

NUMBER, OTHER = "+85251234567", "+85251234568"


class _Webhook(BaseHTTPRequestHandler):
    posts: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posts.append((self.headers["X-Hub-Signature-256"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def webhook() -> Iterator[HTTPServer]:
    _Webhook.posts = []
    server = HTTPServer(("127.0.0.1", 0), _Webhook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def post(port: int, path: str, body: bytes) -> dict[str, object]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", path, body)
    answer: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_messages_are_taken_and_failures_reported(webhook: HTTPServer) -> None:
    providers = Providers(webhook_port=webhook.server_port, app_secret="secret", report=failure)
    providers.fails.add(NUMBER)
    port = free_port()

    with running(providers, port=port):
        for number in (NUMBER, OTHER):
            message = {"to": number, "biz_opaque_callback_data": f"delivery of {number}"}
            answer = post(port, "/v26.0/1/messages", json.dumps(message).encode())
            assert answer["messages"]
        sms = post(port, "/2010-04-01/Accounts/AC1/Messages.json", b"To=%2B85251234567&Body=x")
        wait_until(lambda: bool(_Webhook.posts), seconds=5)

    assert sms["status"] == "queued"
    assert providers.whatsapp.keys() == {NUMBER, OTHER}
    assert providers.sms.keys() == {NUMBER} == providers.reported.keys()
    assert providers.reported[NUMBER] - providers.whatsapp[NUMBER] >= REPORT_AFTER_SECONDS
    ((signed, body),) = _Webhook.posts
    assert signed == signature(body, "secret")
    status = json.loads(body)["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert (status["status"], status["errors"][0]["code"]) == ("failed", 131026)
    assert status["biz_opaque_callback_data"] == f"delivery of {NUMBER}"


def test_they_answer_beside_a_loop_that_already_runs_in_this_thread(webhook: HTTPServer) -> None:
    """As Playwright's does, in every test after a browser's."""
    providers = Providers(webhook_port=webhook.server_port, app_secret="secret", report=failure)
    port = free_port()

    async def ask() -> dict[str, object]:
        with running(providers, port=port):
            return post(port, "/2010-04-01/Accounts/AC1/Messages.json", b"To=%2B85251234567&Body=x")

    with ThreadPoolExecutor() as threads:  # this one may have a loop, too
        assert threads.submit(asyncio.run, ask()).result()["to"] == NUMBER


def test_a_port_that_is_taken_is_an_error(webhook: HTTPServer) -> None:
    providers = Providers(webhook_port=webhook.server_port, app_secret="secret", report=failure)

    with pytest.raises(OSError, match="in use"), running(providers, port=webhook.server_port):
        pass


def test_an_open_loop_begins_on_time_whatever_is_still_running() -> None:
    begun: list[float] = []

    def act(_client: int, _item: str) -> None:
        begun.append(time.perf_counter())
        time.sleep(0.2)

    OpenLoop(100).run(["x"] * 20, act)

    assert 0.15 < begun[-1] - begun[0] < 0.6  # one after the other would be four seconds


def test_waiting_ends() -> None:
    with pytest.raises(RuntimeError, match="in time"):
        wait_until(lambda: False, seconds=0.05)
