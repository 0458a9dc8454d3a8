"""Real processes for tests: started on free ports, ended with the test even when it fails."""

import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import httpx

from scripts.services import free_port
from tests import databases

ROOT = Path(__file__).resolve().parents[1]


def until[T](
    condition: Callable[[], T], what: str, seconds: float = 30, process: "Running | None" = None
) -> T:
    """The first true value of `condition`. Fails after `seconds`, with what the process printed if one is given."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, (
            f"{what}: not within {seconds:.0f} s\n{process.output if process else ''}"
        )
        time.sleep(0.02)


@cache
def certificates() -> ssl.SSLContext:
    """What each client of httpx reads anew unless it is given one: 40 ms, which is a lot for those who ask and ask."""
    return httpx.create_ssl_context()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, verify=certificates()).status_code == 200
    except httpx.HTTPError:
        return False


@dataclass
class Running:
    """A process and what it printed."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def has(self, text: str) -> bool:
        assert self.process.poll() is None or text in self.output, self.output
        return text in self.output

    def wait_for(self, url: str, seconds: float = 120) -> None:
        """Until a GET of it answers 200. Fails with what the process printed: at once when it has ended."""
        until(lambda: self.process.poll() is not None or answers(url), url, seconds, self)
        assert self.process.poll() is None, self.output

    def stop(self, number: int = signal.SIGTERM, seconds: float = 15) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)


def clean_environment(**changes: str) -> dict[str, str]:
    """The environment of a user's shell, without any setting of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", **changes}


@contextmanager
def running(arguments: list[str], **environment: str) -> Iterator[Running]:
    """`python ARGUMENTS` in its own session; killed with all its children in the end."""
    with started([sys.executable, *arguments], folder=ROOT, environment=environment) as process:
        yield process


@contextmanager
def started(command: list[str], *, folder: Path, environment: Mapping[str, str]) -> Iterator[Running]:
    """Like `running`, for any command in any folder."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=clean_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    result = Running(process)

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            result.lines.append(line.rstrip("\n"))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield result
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
        with suppress(
            ProcessLookupError
        ):  # a child that is left holds our pipe, and reading it would never end
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(timeout=5)
        if process.stdout:
            process.stdout.close()


def children(pid: int) -> list[int]:
    """All descendants of a process."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents: dict[int, int] = {}
    for line in listing.splitlines():
        pid_of_line, its_parent = line.split()
        parents[int(pid_of_line)] = int(its_parent)
    family = [pid]
    for parent in family:
        family += [child for child, its_parent in parents.items() if its_parent == parent]
    return family[1:]


def is_running(pid: int) -> bool:
    """Zombies are not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass(frozen=True)
class Ports:
    web: int = field(default_factory=free_port)
    simulator: int = field(default_factory=free_port)

    @property
    def base(self) -> str:
        return f"http://localhost:{self.web}"

    @property
    def handsets(self) -> str:
        return f"http://127.0.0.1:{self.simulator}"


@contextmanager
def demo(folder: Path, *, from_nothing: bool = True) -> Iterator[tuple[Running, Ports]]:
    """`make demo`, ready, with its data in `folder`. Not from nothing: as on a second day, with a database."""
    ports = Ports()
    if not from_nothing:
        databases.copy_sqlite(folder / "demo.sqlite3")
    environment = {"PORT": str(ports.web), "SIMULATOR_PORT": str(ports.simulator), "AUTHSVC_VAR": str(folder)}
    with running(["manage.py", "demo"], **environment) as process:
        until(lambda: process.has(f"ready: {ports.base}"), "the demo", seconds=60)
        yield process, ports
