"""Is it up, and is what it needs there?"""

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.test import Client

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
