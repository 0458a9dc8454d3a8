"""`python -m simulator`, and what it may not log."""

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

from tests.simulator.support import GRAPH_MESSAGES, PHONE, template_message, wait_until
from tests.simulator_client import RunningSimulator

ROOT = Path(__file__).parents[2]


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
    assert "/nowhere" not in log  # addresses of callbacks hold ids
    for secret in (PHONE.removeprefix("+"), "482913", token):
        assert secret not in log


def test_a_taken_port_is_reported_in_one_line(simulator: RunningSimulator) -> None:
    port = simulator.server.server_address[1]

    with program(port) as process:
        _, log = process.communicate(timeout=30)

    assert process.returncode == 1
    assert log == f"cannot listen on 127.0.0.1:{port}: the port is taken\n"
