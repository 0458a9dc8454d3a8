"""Throwaway PostgreSQL and Redis servers from installed binaries, which tests start, stop and restart."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis


def postgres_binaries() -> str | None:
    """The folder of the newest installed PostgreSQL's programs."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if installed:
        return str(installed[0].parent)
    on_path = shutil.which("initdb")
    return str(Path(on_path).parent) if on_path else None


@dataclass
class PostgresServer:
    """A cluster in `folder`, which must be empty at first. Loopback connections need no password."""

    binaries: str
    folder: str
    port: int
    flags: str = "-c fsync=off"

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        # The server refuses to run as root.
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*as_user, f"{self.binaries}/{program}", "-D", f"{self.folder}/data", *arguments]
        subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self) -> None:
        if not Path(self.folder, "data").exists():
            if os.geteuid() == 0:
                shutil.chown(self.folder, "postgres")
            self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        flags = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 "
            f"-c unix_socket_directories={self.folder} {self.flags}"
        )
        self._run("pg_ctl", "-w", "-s", "-o", flags, "-l", f"{self.folder}/log", "start")

    def stop(self, mode: str = "immediate") -> None:
        """`fast` ends sessions in order; `immediate` is a crash."""
        self._run("pg_ctl", "-w", "-s", "-m", mode, "stop", check=False)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@dataclass
class RedisServer:
    """A server that keeps nothing on disk."""

    binary: str
    folder: str
    port: int
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self, seconds: float = 10) -> None:
        self.process = subprocess.Popen(
            [
                self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder,
                *self.arguments,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + seconds
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)

    def stop(self) -> None:
        """At once, like a crash."""
        if self.process:
            self.process.kill()
            self.process.wait(timeout=10)
            self.process = None
