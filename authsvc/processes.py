"""Several processes as one: started together, ended together, none left behind."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

_PR_SET_PDEATHSIG = 1
# Longer than a provider call, so that what is in flight finishes.
_GRACE_SECONDS = 9.0


@dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def web(*, port: int, workers: int, threads: int) -> list[str]:
    """granian over WSGI: one process answers a request that does nothing in 0.12 ms of CPU."""
    return python(
        "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", str(port),  # noqa: S104 # a server
        "--workers", str(workers), "--blocking-threads", str(threads), "--backlog", "1024",
        "--no-ws", "--workers-kill-timeout", "8", "--log-level", "warning", "authsvc.wsgi:application",
    )  # fmt: skip


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 # what the server will ask for
        except OSError:
            return False
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def answers(url: str) -> bool:
    """Whether `url` answers 200 now."""
    try:
        with urlopen(url, timeout=1) as response:  # noqa: S310 # our own loopback addresses
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def _die_with_parent() -> None:
    """Linux ends the child when its parent is gone, however that went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Group:
    """Children that live and end together. Use as a context manager around `wait`."""

    def __init__(self) -> None:
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._stop = threading.Event()
        self.asked_to_stop = False

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True
        self._stop.set()

    def start(self, command: Command) -> None:
        child = subprocess.Popen(  # noqa: S603 # our own commands
            command.arguments,
            env={**os.environ, **command.environment},
            preexec_fn=_die_with_parent,  # noqa: PLW1509 # no threads of ours run yet
            start_new_session=True,  # Ctrl-C comes to us alone, we tell the children
        )
        self._children.append((command.name, child))

    def dead(self) -> str | None:
        """The name of a child that has ended, if one has."""
        return next((name for name, child in self._children if child.poll() is not None), None)

    def pause(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def wait(self) -> str | None:
        """Until somebody asks to stop (None), or a child ends by itself (its name)."""
        while not self.asked_to_stop:
            if name := self.dead():
                return name
            self.pause(0.2)
        return None

    def end(self) -> None:
        """SIGTERM to all, in the order of their start; SIGKILL to whoever stays beyond the grace."""
        for _, child in self._children:
            if child.poll() is None:
                child.terminate()
        remaining = _GRACE_SECONDS
        for _, child in self._children:
            try:
                child.wait(timeout=max(remaining, 0.1))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                remaining = 0
