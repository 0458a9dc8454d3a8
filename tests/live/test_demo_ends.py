"""`make demo` when it ends, by itself or by force, and when it cannot begin."""

import signal
from pathlib import Path

import pytest

from scripts.services import free_port
from tests.processes import answers, children, demo, is_running, running, until

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("demo")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_with_all_its_processes(number: int, tmp_path: Path) -> None:
    with demo(tmp_path, from_nothing=False) as (process, ports):
        family = children(process.process.pid)
        code = process.stop(number)

        until(lambda: not any(is_running(pid) for pid in family), "the children's end", seconds=5)
        assert (code, len(family) >= 3) == (0, True)
        assert not answers(f"{ports.base}/healthz")


def test_nothing_lingers_when_it_is_killed(tmp_path: Path) -> None:
    with demo(tmp_path, from_nothing=False) as (process, _ports):
        family = children(process.process.pid)
        process.process.kill()
        process.process.wait()

        until(lambda: not any(is_running(pid) for pid in family), "the children's end", seconds=15)


def test_it_ends_when_one_of_its_processes_dies(tmp_path: Path) -> None:
    import os

    with demo(tmp_path, from_nothing=False) as (process, _ports):
        simulator = next(
            pid
            for pid in children(process.process.pid)
            if b"simulator" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(simulator, signal.SIGKILL)
        code = process.process.wait(timeout=20)

    assert code == 1
    assert "authsvc: simulator ended unexpectedly" in process.output


@pytest.mark.parametrize("taken", ["PORT", "SIMULATOR_PORT"])
def test_a_port_in_use_is_one_clear_line(taken: str, tmp_path: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        environment = {"PORT": str(free_port()), "SIMULATOR_PORT": str(free_port()), taken: port}
        with running(["manage.py", "demo"], AUTHSVC_VAR=str(tmp_path), **environment) as process:
            code = process.process.wait(timeout=30)
            until(lambda: process.lines, "its line", seconds=5)

    assert code == 1
    assert process.lines == [
        f"authsvc: port {port} is in use: stop what uses it, or choose another with {taken}"
    ]


def test_a_folder_that_cannot_be_written_is_one_clear_line() -> None:
    with running(["manage.py", "demo"], AUTHSVC_VAR="/proc/nowhere") as process:
        code = process.process.wait(timeout=30)
        until(lambda: process.lines, "its line", seconds=5)

    assert code == 1
    assert len(process.lines) == 1
    assert "cannot be written" in process.output
