"""PostgreSQL and Redis for tests and benchmarks: those named, those running, or throwaway ones.

In this order: `DATABASE_URL` / `REDIS_URL`; services on their standard loopback ports; servers started from
installed binaries in a temporary folder; the same after installing them (root on Debian). Otherwise one line says
what is missing. Only what was started here is ended here.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def stop(message: str) -> None:
    sys.exit(f"authsvc: {message}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            stop(f"{what} did not start within {seconds:.0f} s")
        time.sleep(0.05)


def install(*packages: str) -> bool:
    """Debian packages, when we are root there. False: not possible."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print(f"authsvc: installing {' '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, check=False)
    command = ["apt-get", "install", "-y", "-qq", *packages]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def _postgres_accepts(url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _postgres_binaries() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return str(found[0].parent)
    on_path = shutil.which("initdb")
    return str(Path(on_path).parent) if on_path else None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A URL of a PostgreSQL server on which databases may be made."""
    named = os.environ.get("DATABASE_URL", "")
    if named.startswith("postgres"):
        yield named
        return
    running = "postgres://postgres@127.0.0.1:5432/postgres"
    if _postgres_accepts(running):
        yield running
        return
    binaries = _postgres_binaries()
    if binaries is None and install("postgresql"):
        binaries = _postgres_binaries()
    if binaries is None:
        stop(
            "PostgreSQL is missing: install it (apt-get install postgresql) or set DATABASE_URL=postgres://…"
        )
        return
    with tempfile.TemporaryDirectory(prefix="authsvc-pg-") as folder:
        # The server refuses to run as root.
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres")
        data, port = f"{folder}/data", free_port()
        subprocess.run(
            [
                *as_user,
                f"{binaries}/initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        flags = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        control = [*as_user, f"{binaries}/pg_ctl", "-D", data, "-w", "-s"]
        subprocess.run([*control, "-o", flags, "-l", f"{folder}/log", "start"], check=True)
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False)


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """A URL of a Redis server, without a database number: callers use 8 and up and flush only those."""
    named = os.environ.get("REDIS_URL", "")
    if named:
        yield named.rstrip("/").rsplit("/", 1)[0] if named.count("/") > 2 else named
        return
    if answers(6379):
        yield "redis://127.0.0.1:6379"
        return
    binary = shutil.which("redis-server")
    if binary is None and install("redis-server"):
        binary = shutil.which("redis-server")
    if binary is None:
        stop("Redis is missing: install it (apt-get install redis-server) or set REDIS_URL=redis://…")
        return
    with tempfile.TemporaryDirectory(prefix="authsvc-redis-") as folder:
        port = free_port()
        server = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: answers(port), "Redis")
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=10)


def chromium() -> str:
    """The path of a Chromium for the browser tests."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if install("chromium") and (path := shutil.which("chromium")):
        return path
    stop("Chromium is missing: install it (apt-get install chromium)")
    return ""
