"""Servers for the tests themselves, on a machine where none is running."""

import socket

import psycopg
import pytest
import redis

from scripts import services

pytestmark = pytest.mark.processes


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is named and nothing runs on the standard ports; nothing may be installed."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(services, "_postgres_accepts", lambda _url: False)
    real = services.answers
    monkeypatch.setattr(services, "answers", lambda port: port != 6379 and real(port))
    monkeypatch.setattr(services, "install", lambda *_packages: False)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_postgresql_is_started_and_ended(alone: None) -> None:
    with services.postgres() as url:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        port = int(url.rsplit(":", 1)[1].split("/")[0])
        assert port != 5432

    assert not is_open(port)


def test_redis_is_started_and_ended(alone: None) -> None:
    with services.redis() as url:
        client = redis.Redis.from_url(url)
        assert client.ping()
        client.close()
        port = int(url.rsplit(":", 1)[1])
        assert port != 6379

    assert not is_open(port)


@pytest.mark.parametrize(
    ("name", "words"), [("postgres", "PostgreSQL is missing"), ("redis", "Redis is missing")]
)
def test_what_cannot_be_had_is_one_line(
    name: str, words: str, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "postgres_binaries", lambda: None)
    monkeypatch.setattr("scripts.services.shutil.which", lambda _name: None)

    with pytest.raises(SystemExit, match=words), getattr(services, name)():
        pass


def test_what_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db.example/name")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example:6379/4")

    with services.postgres() as database, services.redis() as cache:
        assert database == "postgres://me@db.example/name"
        assert cache == "redis://cache.example:6379"
