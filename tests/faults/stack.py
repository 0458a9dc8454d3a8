"""The whole service as real processes, on its own PostgreSQL and Redis, which scenarios stop."""

import base64
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis

from scripts import services
from scripts.servers import PostgresServer, RedisServer
from scripts.services import free_port
from tests.processes import ROOT, Ports, answers, children, clean_environment, is_running, until
from tests.simulator_client import RunningSimulator, SimulatorClient, start

OTP_KEY = base64.b64encode(b"the-key-of-codes-in-fault-tests-").decode()
WAIT_SECONDS = 5  # the shortest that a project may set
_RULES = "send.number.hour send.number.day send.address send.block send.project guess.number guess.address"


@dataclass
class Process:
    """One of ours, with what it printed in a file."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def family(self) -> list[int]:
        return [self.popen.pid, *children(self.popen.pid)]

    def kill(self) -> None:
        """SIGKILL to it and its children, as when a machine loses power."""
        for pid in self.family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.popen.wait(timeout=10)

    def terminate(self, seconds: float = 20) -> int:
        self.popen.terminate()
        return self.popen.wait(timeout=seconds)


@dataclass
class Stack:
    """Servers, simulator and processes. `processes` are those that run now, by name."""

    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    simulator: RunningSimulator
    ports: Ports
    environment: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    started: int = 0

    def start(self, name: str, kind: str = "", **changes: str) -> Process:
        """`name`: web, worker or beat, or another name for a further one of `kind`."""
        self.started += 1
        log = self.folder / f"{self.started:03}-{name}.log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "manage.py", "serve", "--only", kind or name],
                cwd=ROOT,
                env=clean_environment(**{**self.environment, **changes}),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[name] = Process(name, popen, log)
        return self.processes[name]

    def start_all(self) -> None:
        for name in ("web", "worker", "beat"):
            if name not in self.processes:
                self.start(name)
        self.wait_ready()

    def wait_ready(self) -> None:
        until(lambda: answers(f"{self.ports.base}/readyz"), "ready", 120)
        worker = self.processes["worker"].log
        until(lambda: b"ready." in worker.read_bytes(), "the worker", 60)

    def kill(self, name: str) -> None:
        self.processes.pop(name).kill()

    def stop(self) -> None:
        for process in self.processes.values():
            process.popen.terminate()
        for process in self.processes.values():
            try:
                process.popen.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()

    @property
    def url(self) -> str:
        return self.environment["DATABASE_URL"]

    def control(self) -> SimulatorClient:
        return SimulatorClient(self.ports.handsets)

    def rss(self) -> dict[str, int]:
        """Resident bytes of each process with its children."""
        return {
            name: sum(_rss(pid) for pid in process.family if is_running(pid))
            for name, process in self.processes.items()
        }

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def reset(self) -> None:
        """As new: no challenge, no memory, no fault. All processes run."""
        self.start_all()
        with self.control() as simulator:
            simulator.reset()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "TRUNCATE otp_deliveryevent, otp_delivery, otp_challenge, otp_phonerecord, channels_senderhealth, "
                "login_session, users_user CASCADE"
            )
            connection.execute("UPDATE projects_configversion SET value = value + 1")
        with redis.Redis.from_url(self.environment["REDIS_URL"]) as client:
            client.flushall()
        for path in self.folder.glob("*.log"):
            if path not in {process.log for process in self.processes.values()}:
                path.unlink()
        self.wait_ready()


def _rss(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _environment(ports: Ports, *, folder: Path, database: str, cache: str) -> dict[str, str]:
    return {
        "AUTHSVC_MODE": "test",
        "SECRET_KEY": "a-secret-key-of-fault-tests-0123456789-abcdefghij",
        "AUTHSVC_OTP_KEYS": f"k1:{OTP_KEY}",
        "DATABASE_URL": database,
        "REDIS_URL": cache,
        "PORT": str(ports.web),
        "WEB_WORKERS": "2",
        "WEB_THREADS": "8",
        "AUTHSVC_PUBLIC_URL": ports.base,
        "WHATSAPP_API_URL": f"{ports.handsets}/v26.0",
        "TWILIO_API_URL": ports.handsets,
        "AUTHSVC_VAR": str(folder),
        "AUTHSVC_LIMITS": ",".join(f"{name}:1000000/1h" for name in _RULES.split()),
    }


def _manage(environment: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=clean_environment(**environment),
        check=True,
        capture_output=True,
    )


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """Everything up, with the demo's project and a wait of 5 s for WhatsApp; ended and removed in the end."""
    with ExitStack() as ending:
        # Not below a folder of root's alone: PostgreSQL runs as a user of its own.
        cluster = ending.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-faults-"))
        postgres = PostgresServer(services.postgres_programs(), cluster, free_port())
        postgres.start()
        ending.callback(postgres.stop)
        cache = RedisServer(services.redis_program(), str(folder), free_port())
        cache.start()
        ending.callback(cache.stop)
        web = free_port()
        simulator = ending.enter_context(start(webhook_url=f"http://localhost:{web}/whatsapp/webhook"))
        ports = Ports(web=web, simulator=int(simulator.url.rpartition(":")[2]))
        environment = _environment(ports, folder=folder, database=postgres.url, cache=f"{cache.url}/0")
        _manage(environment, "migrate", "--verbosity", "0")
        configuration = folder / "faults.yaml"
        demo = (ROOT / "deploy" / "demo.yaml").read_text()
        configuration.write_text(demo.replace("wait_seconds: 20", f"wait_seconds: {WAIT_SECONDS}"))
        _manage(environment, "apply", str(configuration))
        running = Stack(folder, postgres, cache, simulator, ports, environment)
        ending.callback(running.stop)
        running.start_all()
        yield running


def pause(seconds: float) -> None:
    time.sleep(seconds)
