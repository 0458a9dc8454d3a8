"""Groups of processes: started together, stopped together, none left behind."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ops import processes
from ops.processes import Command, Group, answers, port_is_free, python, web
from tests.processes import ROOT, until

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


def command(name: str, code: str, **environment: str) -> Command:
    return Command(name=name, arguments=python("-c", code), environment=environment)


@pytest.fixture
def group() -> Iterator[Group]:
    group = Group()
    yield group
    group.end()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def ignores_sigterm(pid: int) -> bool:
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(lines["SigIgn"], 16) & 1 << (signal.SIGTERM - 1))


def pids(group: Group) -> list[int]:
    return [child.pid for _, child in group._children]


@pytest.mark.processes
def test_a_child_that_exits_is_named(group: Group) -> None:
    group.start(command("lasting", SLEEP))
    group.start(command("short", "pass"))

    assert group.wait() == "short"
    assert group.dead() == "short"


@pytest.mark.processes
def test_while_all_run_no_child_is_dead(group: Group) -> None:
    group.start(command("lasting", SLEEP))

    assert group.dead() is None


@pytest.mark.processes
def test_the_end_stops_every_child(group: Group) -> None:
    for name in ("one", "two"):
        group.start(command(name, SLEEP))
    children = pids(group)

    group.end()

    assert not [pid for pid in children if is_running(pid)]


@pytest.mark.processes
def test_a_child_that_ignores_sigterm_is_killed(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.5)
    group.start(command("stubborn", STUBBORN))
    (pid,) = pids(group)
    until(lambda: ignores_sigterm(pid), "the child does not ignore SIGTERM")
    started = time.monotonic()

    group.end()

    assert not is_running(pid)
    assert time.monotonic() - started < 5


@pytest.mark.processes
def test_a_child_that_is_killed_takes_its_own_children_along(
    group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web process has workers of its own, which would hold the port."""
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.2)
    file = tmp_path / "pid"
    code = f"""
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"])
pathlib.Path({str(file)!r}).write_text(str(child.pid))
time.sleep(60)
"""
    group.start(command("family", code))
    grandchild = int(until(lambda: file.exists() and file.read_text(), "the grandchild"))

    group.end()

    until(lambda: not is_running(grandchild), "the end of the grandchild", 10)


@pytest.mark.processes
def test_one_that_hangs_keeps_nobody_else_from_ending_in_order(
    group: Group, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.2)
    ready, done = tmp_path / "ready", tmp_path / "done"
    hangs = f"import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    tidy = f"""
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path({str(done)!r}).write_text("tidied up")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path({str(ready)!r} + "2").touch()
time.sleep(60)
"""
    group.start(command("hanging", hangs))
    group.start(command("tidy", tidy))
    until(lambda: ready.exists() and Path(f"{ready}2").exists(), "both")

    group.end()
    group.end()  # a second time finds nothing to do

    assert done.read_text() == "tidied up"
    assert [child.returncode for _, child in group._children] == [-signal.SIGKILL, 0]


@pytest.mark.processes
def test_the_context_ends_the_group_after_an_error() -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    children: list[int] = []

    def broken() -> None:
        with Group() as group:
            group.start(command("lasting", SLEEP))
            children.extend(pids(group))
            raise RuntimeError

    try:
        with pytest.raises(RuntimeError):
            broken()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    assert not is_running(children[0])


@pytest.mark.processes
def test_a_child_gets_the_environment_of_its_command(group: Group, tmp_path: Path) -> None:
    file = tmp_path / "out"
    group.start(command("writer", f"import os; open({str(file)!r}, 'w').write(os.environ['X'])", X="value"))

    assert group.wait() == "writer"
    assert file.read_text() == "value"


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_children_stop_when_their_parent_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    parent = f"""
import time
from ops.processes import Command, Group, python
group = Group()
group.start(Command(name="child", arguments=python("-c", {SLEEP!r}), environment={{}}))
open({str(file)!r}, "w").write(str(group._children[0][1].pid))
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT)
    child = int(until(lambda: file.exists() and file.read_text(), "the child"))

    process.kill()
    process.wait(timeout=10)

    until(lambda: not is_running(child), "the end of the child", 10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_without_a_name(number: int, group: Group) -> None:
    threading.Timer(0.05, lambda: group._on_signal(number, None)).start()

    assert group.wait() is None
    assert group.asked_to_stop


def test_a_pause_ends_at_a_signal(group: Group) -> None:
    group._on_signal(signal.SIGTERM, None)
    started = time.monotonic()

    group.pause(10)

    assert time.monotonic() - started < 1


# Ports and addresses --------------------------------------------------------------------------------


def test_a_port_in_use_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free("127.0.0.1", port)

    assert port_is_free("127.0.0.1", port)


def test_a_port_in_use_on_all_addresses_is_not_free_on_one() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()

        assert not port_is_free("127.0.0.1", server.getsockname()[1])


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False), (503, False)])
def test_a_url_answers_when_it_answers_200(status: int, expected: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the library's
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()

        assert answers(f"http://127.0.0.1:{server.server_port}/") is expected


def test_a_url_that_refuses_connections_does_not_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert not answers(f"http://127.0.0.1:{port}/")


def test_the_web_process_is_our_python_with_the_web_server() -> None:
    assert web(host="::1", port=8000, workers=2, threads=4) == [
        sys.executable, "-m", "ops.webserver", "--host", "::1", "--port", "8000", "--workers", "2", "--threads", "4",
        "authsvc.wsgi:application",
    ]  # fmt: skip


def test_what_is_loaded_is_left_alone_by_the_collector_which_looks_at_what_comes_after() -> None:
    script = (
        "import gc, weakref; from ops.processes import keep_what_is_loaded\n"
        "class Thing: pass\n"
        "def unreachable():\n"
        "    thing = Thing(); thing.own = thing\n"
        "    return weakref.ref(thing)\n"
        "gc.disable(); loaded = unreachable()\n"
        "keep_what_is_loaded()\n"
        "later = unreachable(); enabled = gc.isenabled(); gc.collect()\n"
        "print(enabled, loaded() is not None, later() is None, gc.get_freeze_count() > 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True"] * 4
