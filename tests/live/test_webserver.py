"""The web server on the wire: slow bodies, forged names of headers, where it listens (field faults D3 and D4)."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.live.site import Site
from tests.processes import Running, children

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]


@contextmanager
def _web(site: Site, **environment: str) -> Iterator[Running]:
    site.environment |= {"WEB_WORKERS": "1", "WEB_THREADS": "2"} | environment
    with site.serving("web") as web:
        yield web


def resident_bytes(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def _connection(site: Site, head: str, start: bytes = b"") -> socket.socket:
    """A request whose head is sent, and the first bytes of its body."""
    lines = head.replace("\n", f"\r\nHost: localhost:{site.ports.web}\r\n", 1).replace("\r\n", "\n")
    connection = socket.create_connection(("127.0.0.1", site.ports.web), timeout=30)
    connection.sendall(lines.replace("\n", "\r\n").encode() + b"\r\n\r\n" + start)
    return connection


def _status(connection: socket.socket) -> int:
    answer = b""
    while b"\r\n" not in answer:
        received = connection.recv(4096)
        if not received:
            break
        answer += received
    return int(answer.split(b" ", 2)[1])


FORM = "application/x-www-form-urlencoded"
_SLOW = [
    "POST /login/ HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 5000",
    "POST /api/v1/challenges HTTP/1.1\nContent-Type: application/json\nTransfer-Encoding: chunked",
    "POST /oauth2/token/ HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 5000",
    "POST /whatsapp/webhook HTTP/1.1\nX-Hub-Signature-256: sha256=" + "0" * 64 + "\nContent-Length: 5000",
    "POST /admin/login/ HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 5000",
]


def test_d4_slow_bodies_keep_nobody_out_and_end(site: Site) -> None:
    """Two threads, and a hundred bodies of which one byte came."""
    with _web(site), ExitStack() as ending:
        first = b"1\r\nx\r\n"
        slow = [
            ending.enter_context(
                closing(_connection(site, _SLOW[number % 5], first if number % 5 == 1 else b"x"))
            )
            for number in range(100)
        ]
        begun = time.monotonic()
        with httpx.Client(base_url=site.ports.base, timeout=5, trust_env=False) as client:
            statuses = [
                client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics", "/login/")
            ]
            posted = client.post("/oauth2/token/", data={"grant_type": "none"}).status_code

        assert statuses == [200] * 4
        assert posted in (400, 401)
        assert time.monotonic() - begun < 5
        assert [_status(connection) for connection in slow[:4]] == [408] * 4
        assert time.monotonic() - begun < 15


_AT_ONCE = [
    # D4: a size for each path, judged before the body comes.
    ("POST /login/ HTTP/1.1\nContent-Length: 200000000", 413),
    ("POST /api/v1/challenges HTTP/1.1\nContent-Length: 65537", 413),
    # P4: a report without a signature is not read.
    ("POST /whatsapp/webhook HTTP/1.1\nContent-Type: application/json\nContent-Length: 4000000", 401),
    ("POST /sms/twilio/status HTTP/1.1\nContent-Length: 600", 401),
    # D3: what names a caller behind a proxy makes /metrics refuse; a name with underscores is none.
    ("GET /metrics HTTP/1.1\nAccept: */*", 200),
    ("GET /metrics HTTP/1.1\nX-Forwarded-For: 203.0.113.9", 404),
    ("GET /metrics HTTP/1.1\nX_Forwarded_For: 203.0.113.9", 200),
    ("GET /metrics HTTP/1.1\nX_FORWARDED-FOR: 203.0.113.9", 200),
    ("GET /metrics HTTP/1.1\nx-forwarded_for: 203.0.113.9", 200),
]


def test_p4_d3_d4_what_the_head_of_a_request_decides(site: Site) -> None:
    with _web(site):
        for head, status in _AT_ONCE:
            begun = time.monotonic()
            with closing(_connection(site, head, b"{" if head.startswith("POST") else b"")) as connection:
                assert _status(connection) == status, head
            assert time.monotonic() - begun < 3, head


def test_bodies_leave_nothing_behind(site: Site) -> None:
    """D4: what granian and we know of each other is a circle that no collector sees; 2,000 bodies are 60 MB."""
    with _web(site) as web, httpx.Client(base_url=site.ports.base, trust_env=False) as client:

        def resident() -> int:
            return sum(resident_bytes(pid) for pid in children(web.process.pid))

        def post(count: int) -> None:
            for number in range(count):
                content = iter([b"a=" + b"x" * 30_000]) if number % 2 else b"a=" + b"x" * 30_000
                client.post("/oauth2/token/", content=content, headers={"Content-Type": FORM})

        post(200)
        before = resident()
        post(2000)

        assert resident() - before < 20_000_000


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, port)) == 0


@pytest.mark.parametrize(("host", "elsewhere"), [("", False), ("0.0.0.0", True)])
def test_d4_it_listens_on_this_machine_only_unless_told(site: Site, host: str, elsewhere: bool) -> None:
    with _web(site, **({"HOST": host} if host else {})):
        assert _listens("127.0.0.1", site.ports.web)
        assert _listens("127.0.0.2", site.ports.web) is elsewhere


def test_a_host_that_is_no_address_stops_the_start(site: Site) -> None:
    site.environment["HOST"] = "login.example"

    done = site.ask("serve")

    assert done.returncode != 0
    assert "HOST must be an IP address" in done.stderr + done.stdout
