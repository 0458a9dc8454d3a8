"""A group of processes that start and stop together."""

import ctypes
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

# What prometheus_client reads when it is imported: a folder in which processes add up what they count.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_PR_SET_PDEATHSIG = 1
# Longer than a provider call, so that messages being sent are finished.
_GRACE_SECONDS = 9.0


@dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


def keep_what_is_loaded() -> None:
    """Tell the collector that what is there by now stays until the end of the process, and start it.

    Otherwise it goes through all of it in each full collection (in a forked process that copies every page), and takes
    it apart at the end, which takes 0.3 s. It is not asked to look first: of 290,000 objects it would find 2,400, in
    0.15 s. What comes after is looked at less often than by default: a batch of reports alone makes ten thousand
    objects, which all go without the collector.
    """
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def web(
    *, host: str, port: int, workers: int, threads: int, application: str = "authsvc.wsgi:application"
) -> list[str]:
    return python(
        "-m", "ops.webserver", "--host", host, "--port", str(port), "--workers", str(workers),
        "--threads", str(threads), application,
    )  # fmt: skip


def port_is_free(host: str, port: int) -> bool:
    """Whether a server may listen on `port` of `host`, an IP address."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
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
    """Linux ends the child when its parent exits, even if it was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Group:
    """Processes that run and stop together. Use as a context manager around `wait`."""

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
            preexec_fn=_die_with_parent,  # noqa: PLW1509 # no threads run yet
            start_new_session=True,  # Ctrl-C reaches only this process, which stops the children
        )
        self._children.append((command.name, child))

    def dead(self) -> str | None:
        """The name of a child that has exited, or None."""
        return next((name for name, child in self._children if child.poll() is not None), None)

    def pause(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def wait(self) -> str | None:
        """Wait for a signal to stop (None), or for a child to exit unexpectedly (its name)."""
        while not self.asked_to_stop:
            if name := self.dead():
                return name
            self.pause(0.2)
        return None

    def end(self) -> None:
        """SIGTERM to all, in the order of their start; SIGKILL to those that do not stop in time."""
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
