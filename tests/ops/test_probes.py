"""Is it up, and is what it needs there?"""

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test import Client

from scripts.services import free_port

pytestmark = pytest.mark.django_db


def test_the_process_is_up(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_everything_it_needs_answers(client: Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "failing": []}


def test_redis_away_is_named(client: Client, settings: LazySettings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (503, ["redis"])


def test_the_database_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> object:
        raise DatabaseError("away")

    monkeypatch.setattr(connection, "cursor", refuse)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_answer_by_whatever_name_a_machine_calls(
    path: str, client: Client, settings: LazySettings
) -> None:
    """A container's health check and Prometheus know addresses, not the host of the login pages."""
    settings.ALLOWED_HOSTS = ["login.example.com"]

    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.get("/login/", headers={"host": "10.0.0.7:8000"}).status_code == 400


def test_a_stranger_does_not_learn_that_there_are_metrics(client: Client, settings: LazySettings) -> None:
    settings.AUTHSVC_METRICS_NETWORKS = ()
    settings.ALLOWED_HOSTS = ["login.example.com"]

    found = client.get("/metrics", headers={"host": "10.0.0.7:8000"})

    assert (found.status_code, b"authsvc_" in found.content) == (404, False)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_read(path: str, client: Client) -> None:
    assert client.post(path).status_code == 405
    assert client.head(path).status_code == 200


# Away -----------------------------------------------------------------------------------------------


def broker_at(address: str, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker besides Redis, as Celery would reach it."""
    from kombu.connection import Connection

    from authsvc.celery import app

    settings.CELERY_BROKER_URL = address
    monkeypatch.setattr(app, "connection_for_write", lambda *_, **more: Connection(address, **more))  # type: ignore[no-untyped-call] # kombu is not annotated


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_of_its_own_that_is_away_is_named(
    scheme: str, client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker_at(f"{scheme}://127.0.0.1:{free_port()}//", settings, monkeypatch)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (503, {"status": "failing", "failing": ["broker"]})


def test_a_broker_that_is_redis_is_named_once(client: Client, settings: LazySettings) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert client.get("/readyz").json()["failing"] == ["redis"]


def test_all_that_is_away_is_named_in_one_answer_and_the_process_is_up_all_the_same(
    client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restarts a process because its database is away makes it worse."""
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    broker_at(f"redis://127.0.0.1:{free_port()}/0", settings, monkeypatch)

    def refuse(*_args: object, **_options: object) -> object:
        raise DatabaseError("away: postgres://user:s3cret@db/")

    monkeypatch.setattr(connection, "cursor", refuse)

    answer = client.get("/readyz")

    assert answer.json() == {"status": "failing", "failing": ["database", "redis", "broker"]}
    assert b"s3cret" not in answer.content
    assert client.get("/healthz").status_code == 200


def test_once_all_is_back_the_next_answer_says_so(client: Client, settings: LazySettings) -> None:
    before = settings.REDIS_URL
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert client.get("/readyz").status_code == 503

    settings.REDIS_URL = before

    assert client.get("/readyz").json() == {"status": "ok", "failing": []}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_an_answer_of_a_probe_is_never_one_of_before(path: str, client: Client) -> None:
    answer = client.get(path)

    assert answer.headers["Content-Type"] == "application/json"
    assert "max-age" not in answer.headers.get("Cache-Control", "")
    assert not answer.cookies
