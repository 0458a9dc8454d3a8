"""The pretend phone behind our own host: demo only."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.login.conftest import text_of


class _Simulator(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = {
            "method": self.command,
            "path": self.path,
            "body": body,
            "type": self.headers.get("Content-Type"),
        }
        if self.path.startswith("/phone/cut"):
            self.connection.close()
            return
        self.send_response(418 if "teapot" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "a=b")
        if "page" in self.path:
            self.send_header("Content-Security-Policy", "default-src 'self'; style-src 'self' 'sha256-x'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(json.dumps(asked).encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 # the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the library's signature
        """Quiet."""


@pytest.fixture(autouse=True)
def simulator(settings: LazySettings) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Simulator)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.SIMULATOR_URL = f"http://127.0.0.1:{server.server_port}"
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def test_requests_are_passed_through(client: Client) -> None:
    response = client.put("/demo/phone/+85251234567/behaviour?a=1&b=2", "{}", content_type="application/json")

    assert response.json() == {
        "method": "PUT",
        "path": "/phone/+85251234567/behaviour?a=1&b=2",
        "body": "{}",
        "type": "application/json",
    }


@pytest.mark.parametrize("method", ["get", "post", "delete", "head"])
def test_methods_and_statuses_are_kept(client: Client, method: str) -> None:
    response = getattr(client, method)("/demo/phone/teapot")

    assert (response.status_code, response.headers["Content-Type"]) == (418, "application/json")


def test_policy_is_the_simulators_own(client: Client) -> None:
    assert "sha256-x" in client.get("/demo/phone/page").headers["Content-Security-Policy"]
    assert client.get("/demo/phone/").headers["Content-Security-Policy"] == "frame-ancestors 'self'"


def test_cookies_do_not_cross(client: Client) -> None:
    assert not client.get("/demo/phone/").cookies


def test_post_needs_no_token_but_comes_from_here() -> None:
    client = Client(enforce_csrf_checks=True)

    def post(**headers: str) -> int:
        return client.post("/demo/phone/x", headers=headers).status_code

    assert post() == 200
    assert post(Origin="http://testserver") == 200
    assert post(Origin="https://evil.example") == 403
    assert post(Origin="null") == 403


@pytest.mark.parametrize("path", ["../state", "a/../../state", "./x", "%2e%2e/state"])
def test_nothing_outside_the_phone_is_reached(client: Client, path: str) -> None:
    response = client.delete(f"/demo/phone/{path}")

    assert response.status_code in (403, 404)


def test_large_bodies_are_refused(client: Client) -> None:
    response = client.post("/demo/phone/x", "x" * 70_000, content_type="text/plain")

    assert response.status_code == 413


def test_other_methods_are_refused(client: Client) -> None:
    assert client.patch("/demo/phone/x").status_code == 405


def test_silent_simulator_is_a_bad_gateway(client: Client, settings: LazySettings) -> None:
    assert client.get("/demo/phone/cut").status_code == 502
    settings.SIMULATOR_URL = "http://127.0.0.1:9"
    assert "does not answer" in text_of(client.get("/demo/phone/"))


@pytest.mark.django_db
@pytest.mark.parametrize(("production", "url"), [(True, "http://127.0.0.1:9"), (False, "")])
@pytest.mark.parametrize("path", ["/demo/", "/demo/phone/", "/demo/phone/x"])
def test_outside_the_demo_it_does_not_exist(
    client: Client, settings: LazySettings, production: bool, url: str, path: str
) -> None:
    settings.PRODUCTION, settings.SIMULATOR_URL = production, url

    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_demo_starts_at_the_login(client: Client) -> None:
    assert client.get("/demo/").headers["Location"] == "/login/"
