"""Other ways to run the same: RabbitMQ as broker, Redis behind Sentinel, PostgreSQL behind PgBouncer."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from kombu.connection import Connection
from redis.sentinel import Sentinel

from scripts import services
from scripts.servers import RedisServer
from scripts.services import free_port
from tests.live.site import Meet, Site
from tests.people import Person
from tests.processes import until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.postgres,
    pytest.mark.django_db,
    pytest.mark.xdist_group("serve"),
]


def log_in(person: Person, channel: str = "whatsapp") -> None:
    assert person.ask_for_code().status_code == 302
    assert person.type_code(person.wait_for_code(channel)).status_code == 302


# RabbitMQ -------------------------------------------------------------------------------------------


@pytest.fixture
def rabbit(site: Site) -> Iterator[Site]:
    """A site whose queues are on RabbitMQ; they are removed before and after."""
    url = services.rabbitmq_url()

    def forget() -> None:
        with Connection(url) as connection:  # type: ignore[no-untyped-call] # kombu is not annotated
            for queue in ("celery", "sweep"):
                connection.default_channel.queue_delete(queue)

    forget()
    site.environment["CELERY_BROKER_URL"] = url
    yield site
    forget()


def test_rabbitmq_carries_logins_fallbacks_and_signs_of_life(rabbit: Site, meet: Meet) -> None:
    with rabbit.served() as process:
        log_in(meet("+85251238001"))
        lost = meet("+85251238002")
        lost.handset.set_handset(lost.phone, whatsapp="not_on_whatsapp")
        log_in(lost, "sms")
        time.sleep(4)  # longer than the time limit of a read: an idle worker stays connected
        log_in(meet("+85251238003"))
        found = rabbit.ask("doctor", "--json", "--skip", "senders")
        said = json.loads(found.stdout)

    assert found.returncode == 0, said
    assert any(line["check"] == "broker" and "amqp" in line["detail"] for line in said)
    assert "Traceback" not in process.output


def test_a_rabbitmq_that_is_away_costs_seconds_and_no_message(site: Site, meet: Meet) -> None:
    site.environment["CELERY_BROKER_URL"] = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    person = meet("+85251238004")
    with site.serving("web"):
        begun = time.monotonic()
        started = person.ask_for_code()
        assert (started.status_code, time.monotonic() - begun < 3) == (302, True)
        assert person.client.get("/readyz").json()["failing"] == ["broker"]


# Redis Sentinel --------------------------------------------------------------------------------------


@dataclass
class Watched:
    """A master, its replica, and a sentinel that makes the replica the master when it must."""

    master: RedisServer
    replica: RedisServer
    sentinel_port: int

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel_port}/watched/0"

    def master_port(self) -> int:
        sentinel: Any = Sentinel([("127.0.0.1", self.sentinel_port)], socket_timeout=1)  # type: ignore[no-untyped-call] # not annotated
        try:
            return int(sentinel.discover_master("watched")[1])
        except redis.RedisError:
            return 0  # it is gone, and the other is not yet in its place


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    binary = services.redis_program()
    master = RedisServer(binary, str(folder), free_port())
    replica = RedisServer(
        binary,
        str(folder),
        free_port(),
        ("--replicaof", "127.0.0.1", str(master.port), "--repl-diskless-sync-delay", "0"),
    )
    port = free_port()
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor watched 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds watched 500\nsentinel failover-timeout watched 3000\n"
    )
    master.start()
    replica.start()
    with redis.Redis(port=replica.port) as client:
        until(lambda: client.info("replication")["master_link_status"] == "up", "the replica", 20)
    sentinel = subprocess.Popen([binary, str(config), "--sentinel"], stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            until(lambda: _sees_replica(client), "the sentinel", 20)
        yield Watched(master, replica, port)
    finally:
        sentinel.terminate()
        sentinel.wait(timeout=10)
        replica.stop()
        master.stop()


def _sees_replica(client: redis.Redis) -> bool:
    try:
        known: Any = client.sentinel_master("watched")
        return bool(known["num-slaves"])
    except redis.RedisError:
        return False


def test_sentinel_moves_limits_and_queue_to_the_new_master(site: Site, meet: Meet, tmp_path: Path) -> None:
    with watched(tmp_path) as servers:
        site.environment["REDIS_URL"] = servers.url
        with site.served():
            log_in(meet("+85251238010"))
            servers.master.stop()
            until(lambda: servers.master_port() == servers.replica.port, "the failover", 20)
            person = meet("+85251238011")
            until(lambda: person.ask_for_code().status_code == 302, "a start", 20)
            assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
            # A task through the queue on the new master, and the sweep that beat rings for.
            until(
                lambda: site.ask("doctor", "--skip", "senders", "--skip", "public-url").returncode == 0,
                "doctor",
                40,
            )


# PgBouncer -------------------------------------------------------------------------------------------


@pytest.fixture
def pooled(site: Site, tmp_path: Path) -> Iterator[Site]:
    """The site's database through PgBouncer with few server connections, transaction pooling."""
    program, port = services.program("pgbouncer", "pgbouncer"), free_port()
    server, _, name = site.environment["DATABASE_URL"].rpartition("/")
    parts = psycopg.conninfo.conninfo_to_dict(
        site.environment["DATABASE_URL"].replace("postgres://", "postgresql://")
    )
    folder = Path("/tmp") / f"authsvc-pgbouncer-{port}"
    folder.mkdir()
    users = folder / "users.txt"
    users.write_text(f'"{parts["user"]}" "{parts.get("password", "")}"\n')
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n{name} = host={parts['host']} port={parts.get('port', 5432)} pool_size=4\n"
        f"[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\nunix_socket_dir=\nauth_type=trust\n"
        f"auth_file={users}\npool_mode=transaction\nmax_client_conn=200\nlogfile={folder}/log\n"
    )
    as_root = os.geteuid() == 0
    if as_root:
        for path in (folder, users, config):
            shutil.chown(path, "postgres")
    process = subprocess.Popen(
        [program, *(["-u", "postgres"] if as_root else []), str(config)], stderr=subprocess.DEVNULL
    )
    until(lambda: services.answers(port), "PgBouncer", 10)
    user = server.rpartition("@")[0]
    site.environment |= {
        "DATABASE_URL": f"{user}@127.0.0.1:{port}/{name}",
        "AUTHSVC_PGBOUNCER": "true",
        "WEB_THREADS": "8",
    }
    yield site
    process.terminate()
    process.wait(timeout=10)
    shutil.rmtree(folder)


def test_nothing_leans_on_a_session_of_the_database(pooled: Site, meet: Meet) -> None:
    """Sixteen web threads and a worker share four server connections, each statement or transaction any of them."""
    with pooled.served() as process:
        people = [meet(f"+8525123802{nth}") for nth in range(8)]
        for person in people:
            assert person.ask_for_code().status_code == 302
        lost = meet("+85251238030")
        lost.handset.set_handset(lost.phone, whatsapp="not_on_whatsapp")
        log_in(lost, "sms")
        for person in people:
            assert person.type_code(person.wait_for_code("whatsapp")).status_code == 302
            assert person.account().status_code == 200
        assert "Traceback" not in process.output
    assert "all applied" in pooled.run(
        "doctor", "--skip", "workers", "--skip", "public-url", "--skip", "senders"
    )
