"""What clients send to the HTTP server: half bodies, slow bodies, odd bytes."""

import base64
import json
import socket
import time

import pytest

from tests.simulator.raw_http import connected, graph_post, post, read_all
from tests.simulator.support import (
    ACCOUNT_SID,
    GRAPH_MESSAGES,
    PHONE,
    SENDER,
    TOKEN,
    TWILIO_MESSAGES,
    send_twilio,
    template_message,
)
from tests.simulator_client import RunningSimulator, SimulatorClient

BASIC = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:sim-auth-token".encode()).decode()


def twilio_form() -> bytes:
    return f"To=%2B{PHONE[1:]}&From=%2B{SENDER[1:]}&Body=482913".encode()


# Bodies


def test_half_a_body_is_no_message(client: SimulatorClient, simulator: RunningSimulator) -> None:
    """A form that was cut would otherwise be a shorter, valid one."""
    form = twilio_form() + b"00"
    with connected(simulator) as connection:
        connection.sendall(post(TWILIO_MESSAGES, form[:-2], f"Authorization: {BASIC}", length=len(form)))
        connection.shutdown(socket.SHUT_WR)

        assert read_all(connection) == b""

    assert client.sends() == client.messages(PHONE) == []


def test_the_same_whole_body_is_a_message(client: SimulatorClient, simulator: RunningSimulator) -> None:
    with connected(simulator) as connection:
        request = post(TWILIO_MESSAGES, twilio_form(), f"Authorization: {BASIC}", "Connection: close")
        connection.sendall(request)

        assert read_all(connection).startswith(b"HTTP/1.1 201 Created\r\n")

    assert client.messages(PHONE)[0]["code"] == "482913"


def test_a_slow_body_is_waited_for_and_holds_up_no_other(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    request = graph_post()
    with connected(simulator) as connection:
        connection.sendall(request[:-20])
        begun = time.monotonic()
        assert send_twilio(client).status_code == 201
        assert time.monotonic() - begun < 2
        connection.sendall(request[-20:])

        assert b'"message_status":"accepted"' in read_all(connection)

    assert [item["channel"] for item in client.messages(PHONE)] == ["sms", "whatsapp"]


def test_a_body_may_come_byte_by_byte(client: SimulatorClient, simulator: RunningSimulator) -> None:
    with connected(simulator) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in graph_post():
            connection.send(bytes([byte]))

        assert read_all(connection).startswith(b"HTTP/1.1 200 OK\r\n")

    assert len(client.messages(PHONE)) == 1


def test_two_requests_may_come_at_once_over_one_connection(
    client: SimulatorClient, simulator: RunningSimulator
) -> None:
    first = graph_post().replace(b"Connection: close\r\n", b"")
    with connected(simulator) as connection:
        connection.sendall(first + graph_post())

        assert read_all(connection).count(b"HTTP/1.1 200 OK") == 2

    assert len(client.messages(PHONE)) == 2


def test_a_client_may_ask_whether_to_go_on(client: SimulatorClient, simulator: RunningSimulator) -> None:
    body = json.dumps(template_message()).encode()
    head = post(
        GRAPH_MESSAGES,
        b"",
        f"Authorization: {TOKEN['Authorization']}",
        "Expect: 100-continue",
        "Connection: close",
        length=len(body),
    )
    with connected(simulator) as connection:
        connection.sendall(head)
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)

        assert read_all(connection).startswith(b"HTTP/1.1 200 OK")

    assert len(client.messages(PHONE)) == 1


@pytest.mark.parametrize("length", ["²", "٣", "+5", "0x10", "5, 5", "", "9" * 5000])
def test_a_length_is_in_plain_digits(simulator: RunningSimulator, length: str) -> None:
    with connected(simulator) as connection:
        connection.sendall(f"POST /faults HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())

        assert b" 411 Length Required\r\n" in read_all(connection)[:60]


def test_the_largest_body_is_read(client: SimulatorClient) -> None:
    body = b" " * (1_000_000 - 2) + b"{}"

    assert client.http.put("/faults", content=body).status_code == 200
    assert client.http.put("/faults", content=b" " + body).status_code == 413


# Odd bytes


@pytest.mark.parametrize(
    "target", ["/v26.0/%0d%0aX:1/messages", "/v26.0/%E4%BD%A0/messages", "/v26.0/a%22b/messages"]
)
def test_an_odd_object_is_named_in_the_error(client: SimulatorClient, target: str) -> None:
    answer = client.http.post(target, json=template_message(), headers=TOKEN)

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == 803
    assert "x" not in answer.headers


@pytest.mark.parametrize("path", ["/v٢.0/1", "/v26/1", "/v26.0.1/1", "/26.0/1"])
def test_a_version_is_two_plain_numbers(client: SimulatorClient, path: str) -> None:
    assert client.http.get(path, headers=TOKEN).status_code == 404


def test_half_a_surrogate_pair_breaks_nothing(client: SimulatorClient) -> None:
    body = json.dumps(template_message(biz_opaque_callback_data="\ud800")).encode()

    answer = client.http.post(GRAPH_MESSAGES, content=body, headers=TOKEN)

    assert answer.status_code == 200
    assert client.sends()[0]["reference"] == "\ud800"


def test_deep_json_is_no_json(client: SimulatorClient) -> None:
    answer = client.http.put("/faults", content=b"[" * 100_000)

    assert answer.status_code == 400


@pytest.mark.parametrize("credentials", ["ä", "QUMx\u00e4", "=", "QQ", "//79"])
def test_odd_credentials_are_wrong_credentials(client: SimulatorClient, credentials: str) -> None:
    headers = {"Authorization": b"Basic " + credentials.encode()}

    answer = client.http.post(TWILIO_MESSAGES, content=twilio_form(), headers=headers)  # type: ignore[arg-type]

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&&&", b"=", b"To", b'{"To": "+85251234567"}'])
def test_what_is_no_form_has_no_recipient(client: SimulatorClient, body: bytes) -> None:
    answer = client.http.post(TWILIO_MESSAGES, content=body, auth=(ACCOUNT_SID, "sim-auth-token"))

    assert answer.json()["code"] == 21604
