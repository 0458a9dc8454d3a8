"""The HTTP plumbing, the program itself, and what it may not log."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from simulator.testing import RunningSimulator, SimulatorClient, start
from tests.simulator.support import GRAPH_MESSAGES, PHONE, TOKEN, send_whatsapp, template_message, wait_until

ROOT = Path(__file__).parents[2]


def test_connections_are_kept_alive(simulator: RunningSimulator) -> None:
    host, port = simulator.server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), port)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    used = connection.sock

    connection.request("GET", "/healthz")

    assert connection.getresponse().read()
    assert connection.sock is used
    connection.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /faults HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        ("POST /faults HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        ("POST /faults HTTP/1.1\r\nContent-Length: 1000001\r\n\r\n", b"413"),
        ("PATCH /faults HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"501"),
        ("nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_cannot_be_read_is_refused(simulator: RunningSimulator, head: str, status: bytes) -> None:
    address = simulator.server.server_address[:2]
    with socket.create_connection((str(address[0]), address[1]), timeout=5) as connection:
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert status in answer[:200]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/faults", 405), ("GET", "/reports", 405)],
)
def test_unknown_paths_and_methods(client: SimulatorClient, method: str, path: str, status: int) -> None:
    answer = client.http.request(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]


def test_stop_ends_hanging_requests_and_open_connections() -> None:
    running = start(webhook_url="http://127.0.0.1:1/")
    with running.client() as client:
        client.set_faults(whatsapp_outage="hang", hang_seconds=600)
        with pytest.raises(httpx.ReadTimeout):
            client.http.post(GRAPH_MESSAGES, json=template_message(), headers=TOKEN, timeout=0.05)
        url = running.url

        running.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz", trust_env=False)


def test_a_taken_port_raises(simulator: RunningSimulator) -> None:
    with pytest.raises(OSError, match="in use"):
        start(simulator.server.server_address[1], webhook_url="http://127.0.0.1:1/")


def test_wait_for_code_gives_up(client: SimulatorClient) -> None:
    send_whatsapp(client)

    assert client.wait_for_code(PHONE, channel="whatsapp") == "482913"
    with pytest.raises(TimeoutError, match=r"no code arrived within 0\.02 s"):
        client.wait_for_code(PHONE, channel="sms", timeout=0.02)


@contextmanager
def program(port: int, **environ: str) -> Iterator[subprocess.Popen[str]]:
    variables = {**os.environ, "SIMULATOR_PORT": str(port), "PYTHONPATH": str(ROOT), **environ}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "simulator"],
        env=variables,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).is_success
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_ends_cleanly_and_logs_neither_numbers_nor_codes(number: signal.Signals) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    token = "token-of-the-environment"
    environ = {"SIMULATOR_WHATSAPP_ACCESS_TOKEN": token, "SIMULATOR_WEBHOOK_URL": f"{url}/nowhere"}
    with program(port, **environ) as process:
        wait_until(lambda: is_up(url), timeout=30, what="the program")
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=url, trust_env=False) as client:
            assert client.post(GRAPH_MESSAGES, json=template_message(), headers=headers).status_code == 200
            assert client.get(f"/handsets/{PHONE}/messages").json()[0]["code"] == "482913"

        process.send_signal(number)
        _, log = process.communicate(timeout=30)

    assert process.returncode == 0
    assert f"listening on {url}" in log
    assert "Traceback" not in log
    for secret in (PHONE.removeprefix("+"), "482913", token):
        assert secret not in log


def test_a_taken_port_is_said_in_one_line(simulator: RunningSimulator) -> None:
    port = simulator.server.server_address[1]

    with program(port) as process:
        _, log = process.communicate(timeout=30)

    assert process.returncode == 1
    assert log == f"cannot listen on 127.0.0.1:{port}: the port is taken\n"
