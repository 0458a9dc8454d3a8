"""The webhook over a real server: what a stranger's post costs (P4), and reports that are missing (P2, P3)."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from bench import cpu
from simulator.meta.webhooks import hub_signature
from tests.live.site import Meet, Site
from tests.processes import Running, until
from tests.webhooks.test_whatsapp_work import BODIES, FOUR_MEGABYTES

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]

PATH = "/whatsapp/webhook"
FORGED = "sha256=" + "0" * 64
SECRET = "sim-app-secret"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def connected(site: Site) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", site.ports.web), timeout=10) as connection:
        yield connection


def head(*lines: str) -> bytes:
    return "\r\n".join([f"POST {PATH} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def answers_of(connection: socket.socket, count: int) -> list[int]:
    """The statuses of so many answers, or of fewer when the server closes."""
    received = b""
    while received.count(b"HTTP/1.1 ") < count and (piece := connection.recv(65536)):
        received += piece
    return [int(part.split(b" ", 1)[0]) for part in received.split(b"HTTP/1.1 ")[1:]]


def seconds_of(process: Running) -> float:
    return cpu.tree([process.process.pid])


def test_what_a_stranger_posts_costs_little(site: Site) -> None:
    """P4: it was 3.6 s of CPU and 340 MB for each."""
    with site.serving("web") as process:
        for headers in ({}, {"X-Hub-Signature-256": FORGED}):  # senders are in memory from here on
            assert httpx.post(f"{site.ports.base}{PATH}", content=b"{}", headers=headers).status_code == 401
        for name, body in BODIES.items():
            tries = []
            for _ in range(3):  # the web process has work of its own, now and then
                begun = seconds_of(process)
                for headers in ({}, {"X-Hub-Signature-256": FORGED}):
                    answer = httpx.post(f"{site.ports.base}{PATH}", content=body, headers=headers, timeout=30)
                    assert answer.status_code == 401
                tries.append(seconds_of(process) - begun)
            assert min(tries) < 0.3, (name, tries)
        peak = max(
            int(line.split()[1])
            for pid in cpu_family(process.process.pid)
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
        assert peak < 250_000, f"{peak} kB"


def cpu_family(root: int) -> list[int]:
    from tests.processes import children

    return [root, *children(root)]


def test_it_is_refused_before_its_body_has_come(site: Site) -> None:
    """P4: unread, however it is announced."""
    with site.serving("web"):
        for line, piece in (
            ("Content-Length: 4000000", b"{"),
            ("Transfer-Encoding: chunked", b"5\r\nhello\r\n"),
        ):
            with connected(site) as connection:
                connection.sendall(head(line) + piece)
                begun = time.monotonic()
                assert answers_of(connection, 2) == [401]  # and then it closes
                assert time.monotonic() - begun < 5


def test_a_body_that_was_not_read_is_no_request(site: Site) -> None:
    """P4: the connection closes, or goes on behind the body."""
    with site.serving("web"):
        for body in (SMUGGLED, SMUGGLED * 3, SMUGGLED + b"x" * 100_000):
            for apart in (True, False):
                with connected(site) as connection:
                    begin = head(f"Content-Length: {len(body)}")
                    connection.sendall(begin if apart else begin + body)
                    try:
                        if apart:
                            connection.sendall(body)
                        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        statuses = answers_of(connection, 2)
                    except ConnectionError:
                        statuses = [401]  # closed while we wrote
                    assert statuses in ([401], [401, 200])


def test_what_is_too_large_is_refused_however_it_comes(site: Site) -> None:
    """P4: announced or in chunks."""
    headers = {"X-Hub-Signature-256": FORGED}

    def chunks(size: int) -> Iterator[bytes]:
        for _ in range(size // 65536 + 1):
            yield b"x" * 65536

    with site.serving("web"):
        for size in (FOUR_MEGABYTES + 1, 20_000_000):
            for content in (b"x" * size, chunks(size)):
                answer = httpx.post(f"{site.ports.base}{PATH}", content=content, headers=headers, timeout=30)
                assert answer.status_code == 413


def test_a_genuine_body_comes_in_chunks_too(site: Site) -> None:
    """P4: Django alone takes it for an empty one."""
    body = json.dumps({"object": "whatsapp_business_account", "entry": []}).encode()

    def chunks() -> Iterator[bytes]:
        yield body[:10]
        yield body[10:]

    def post(content: bytes | Iterator[bytes], secret: str = SECRET) -> int:
        headers = {"X-Hub-Signature-256": hub_signature(app_secret=secret, body=body)}
        return httpx.post(f"{site.ports.base}{PATH}", content=content, headers=headers).status_code

    with site.serving("web") as process:
        assert (post(body), post(chunks()), post(chunks(), "guessed")) == (200, 200, 401)
        # Nesting without an end, genuinely signed, on a server's thread with its small stack, ends no process.
        for body in (b"[" * 4_000_000, b'{"a":' * 800_000):
            assert post(body) == 400
        assert process.process.poll() is None


@contextmanager
def database(site: Site) -> Iterator[psycopg.Cursor[tuple[object, ...]]]:
    with psycopg.connect(site.environment["DATABASE_URL"], autocommit=True) as connection:
        yield connection.cursor()


def test_a_foreign_entry_beside_ours_loses_nothing(site: Site, meet: Meet) -> None:
    """P3: with the Test button pressed as well."""
    with site.served(), database(site) as cursor:
        person = meet("+85251230031")
        person.handset.set_faults(reports={"foreign_entries": True})
        assert person.handset.http.post("/test-button").status_code == 202
        person.ask_for_code()
        person.wait_for_code("whatsapp")

        until(lambda: cursor.execute("SELECT 1 FROM otp_delivery WHERE status = 6").fetchone(), "delivered")
        assert person.handset.http.get("/healthz").json()["reports"]["refused"] == 0


def test_with_a_wrong_secret_nobody_pays_twice(site: Site, meet: Meet) -> None:
    """P2, in all processes: three logins, a minute, and the fourth."""
    with site.served(), database(site) as cursor:
        people = [meet(f"+8525123004{nth}") for nth in range(4)]
        people[0].handset.set_faults(reports={"forge": True})
        for person in people[:3]:
            person.ask_for_code()
            assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
        cursor.execute("UPDATE otp_delivery SET accepted_at = accepted_at - interval '61 seconds'")
        until(lambda: cursor.execute("SELECT missing_since FROM channels_senderreports").fetchone(), "seen")
        checked = site.ask("doctor", "--json")
        people[3].ask_for_code()
        people[3].wait_for_code("whatsapp")
        cursor.execute("UPDATE otp_delivery SET due_at = now() WHERE status = 2 AND due_at IS NOT NULL")
        until(
            lambda: cursor.execute(
                "SELECT 1 FROM otp_deliveryevent WHERE reason = 'reports_missing' AND status = 4"
            ).fetchone(),
            "the end of its wait",
        )

        lines = json.loads(checked.stdout)
        (line,) = [line for line in lines if line["check"] == "reports" and "WhatsApp" in line["subject"]]
        assert (line["status"], checked.returncode) == ("fail", 1)
        assert "this app secret does not match" in line["detail"]
        assert people[0].handset.sends(channel="sms") == []
        people[0].handset.set_faults(reports={"forge": False})
        people[0].handset.report(people[3].phone, channel="whatsapp", status="delivered")
        until(
            lambda: cursor.execute(
                "SELECT 1 FROM channels_senderreports WHERE missing_since IS NULL"
            ).fetchone(),
            "its end",
        )
