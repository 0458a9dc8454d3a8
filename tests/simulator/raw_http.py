"""Requests as bytes on a connection of their own."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.simulator.support import GRAPH_MESSAGES, PHONE, TOKEN, template_message
from tests.simulator_client import RunningSimulator


@contextmanager
def connected(simulator: RunningSimulator) -> Iterator[socket.socket]:
    host, port = simulator.server.server_address[:2]
    with socket.create_connection((str(host), port), timeout=5) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: simulator", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def graph_post(phone: str = PHONE) -> bytes:
    body = json.dumps(template_message(phone)).encode()
    return post(GRAPH_MESSAGES, body, f"Authorization: {TOKEN['Authorization']}", "Connection: close")
