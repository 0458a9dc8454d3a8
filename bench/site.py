"""The processes under test: web, worker, simulator, on a database of their own. The caller stops them."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from scripts import services
from scripts.servers import PostgresServer, RedisServer

ROOT = Path(__file__).resolve().parent.parent
WEB_WORKERS, WEB_THREADS = 2, 4  # as in the benchmark of the peers


def _until_it_answers(port: int, path: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    sys.exit(f"bench: nothing answers on port {port}{path}")


@dataclass(frozen=True, kw_only=True)
class Site:
    port: int
    simulator_port: int
    web: int  # pids
    worker: int


@dataclass(frozen=True, kw_only=True)
class Stores:
    """PostgreSQL and Redis of this run alone, so that all of their CPU is ours."""

    database_url: str
    redis_url: str
    postgres: int  # pids
    redis: int


@contextmanager
def stores() -> Iterator[Stores]:
    with ExitStack() as ending:
        folder = ending.enter_context(tempfile.TemporaryDirectory(prefix="authsvc-bench-"))
        postgres = PostgresServer(services.postgres_programs(), folder, services.free_port())
        postgres.start()
        ending.callback(postgres.stop)
        redis = RedisServer(services.redis_program(), folder, services.free_port())
        redis.start()
        ending.callback(redis.stop)
        assert redis.process
        pid = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
        yield Stores(
            database_url=postgres.url, redis_url=f"{redis.url}/0", postgres=pid, redis=redis.process.pid
        )


def environment(*, database_url: str, redis_url: str, port: int, simulator_port: int) -> dict[str, str]:
    """Limits are charged as always and so high that they never refuse."""
    simulator = f"http://127.0.0.1:{simulator_port}"
    rules = "send.number.hour send.number.day send.address send.block send.project guess.number guess.address"
    return {
        **os.environ,
        "AUTHSVC_MODE": "test",
        "SECRET_KEY": secrets.token_urlsafe(40),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": "",
        "AUTHSVC_PUBLIC_URL": f"http://localhost:{port}",
        "WHATSAPP_API_URL": f"{simulator}/v26.0",
        "TWILIO_API_URL": simulator,
        "SIMULATOR_PORT": str(simulator_port),
        "SIMULATOR_WEBHOOK_URL": f"http://localhost:{port}/whatsapp/webhook",
        "AUTHSVC_LIMITS": ",".join(f"{name}:100000000/1h" for name in rules.split()),
        "LOG_LEVEL": "INFO",  # as in production
        "DJANGO_SETTINGS_MODULE": "authsvc.settings",
    }


def manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL
    )


@contextmanager
def running(
    env: dict[str, str], *, port: int, simulator_port: int, has_simulator: bool = True
) -> Iterator[Site]:
    """Everything up: the web processes, one worker, the simulator unless something else plays the providers."""
    from ops.processes import web

    worker = [sys.executable, "manage.py", "serve", "--only", "worker"]  # with its beat, as in production
    commands = [
        web(host="127.0.0.1", port=port, workers=WEB_WORKERS, threads=WEB_THREADS),
        worker,
        *([[sys.executable, "-m", "simulator"]] if has_simulator else []),
    ]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:  # one by one, so that each is ended if the next cannot start
            started.append(  # noqa: PERF401
                subprocess.Popen(
                    command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        _until_it_answers(port, "/readyz", started[0])
        if has_simulator:
            _until_it_answers(simulator_port, "/healthz", started[2])
        yield Site(port=port, simulator_port=simulator_port, web=started[0].pid, worker=started[1].pid)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
