"""The sample shop, and the pretend phone behind our own host: demo only."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.test import Client

from ops.management.commands.demo import Command
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
@pytest.mark.parametrize("path", ["/demo/", "/demo/app/", "/demo/phone/", "/demo/phone/x"])
def test_the_demo_does_not_exist_outside_the_demo_mode(
    client: Client, settings: LazySettings, production: bool, url: str, path: str
) -> None:
    settings.PRODUCTION, settings.SIMULATOR_URL = production, url

    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_demo_starts_at_the_sample_shop(client: Client) -> None:
    assert client.get("/demo/").headers["Location"] == "/demo/app/"


def test_the_shop_is_under_the_policy_of_all_pages(client: Client) -> None:
    """F11: no script, style or handler of its own inside the page."""
    response = client.get("/demo/app/")
    page = text_of(response)

    assert response.status_code == 200
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style|\son[a-z]+=|\sstyle=|javascript:|https?://", page)
    assert 'data-client-id="demo-app"' in page


@pytest.mark.django_db
def test_the_shop_is_only_read(client: Client) -> None:
    assert client.head("/demo/app/").status_code == 200
    assert client.post("/demo/app/").status_code == 405


def test_its_library_is_the_one_that_is_named() -> None:
    """Byte for byte what npm has, less the last line (static/vendor/oidc-client-ts/README.md)."""
    folder = Path(settings.BASE_DIR) / "static" / "vendor" / "oidc-client-ts"
    script = (folder / "oidc-client-ts.min.js").read_bytes()

    assert hashlib.sha256(script).hexdigest() in (folder / "README.md").read_text()
    assert b'="3.5.0"' in script
    assert "Apache License" in (folder / "LICENSE").read_text()


def test_the_demo_names_the_shop_first() -> None:
    said = StringIO()

    Command(stdout=said)._welcome(9000, "secret")

    first, second, *_others = said.getvalue().splitlines()
    assert first == "ready: http://localhost:9000"
    assert second.split()[:3] == ["sample", "app", "http://localhost:9000/demo/app/"]
