"""The HTTP server: connections, bodies, concurrency; and the client for other tests."""

import http.client
import socket

import httpx
import pytest

from tests.simulator.support import GRAPH_MESSAGES, PHONE, TOKEN, send_whatsapp, template_message
from tests.simulator_client import RunningSimulator, SimulatorClient, start


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
def test_an_unreadable_request_is_refused(simulator: RunningSimulator, head: str, status: bytes) -> None:
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
