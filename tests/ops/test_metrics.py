"""`/metrics`: who may read it, and what it says of the present."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from channels.breaker import State
from ops import metrics
from otp import services
from otp.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-scrapes"


@pytest.fixture(autouse=True)
def _closed(settings: Settings) -> None:
    settings.AUTHSVC_METRICS_NETWORKS, settings.AUTHSVC_METRICS_TOKEN = (), ""


def status(client: Client, **options: Any) -> int:
    return client.get("/metrics", **options).status_code


def value(name: str) -> float | None:
    """The value of a metric without labels."""
    match = re.search(rf"^{name} (\S+)$", metrics.text().decode(), re.MULTILINE)
    return float(match[1]) if match else None


# Access ---------------------------------------------------------------------------------------------


def networks(*names: str) -> tuple[object, ...]:
    import ipaddress

    return tuple(ipaddress.ip_network(name) for name in names)


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.1.2.3", 200), ("2001:db8::7", 200), ("11.1.2.3", 404), ("::1", 404), ("", 404), ("nonsense", 404)],
)
def test_only_listed_networks_may_read(
    address: str, expected: int, client: Client, settings: Settings
) -> None:
    settings.AUTHSVC_METRICS_NETWORKS = networks("10.0.0.0/8", "2001:db8::/32")

    assert status(client, REMOTE_ADDR=address) == expected


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_forwarded_request_never_passes_by_its_address(
    header: str, client: Client, settings: Settings
) -> None:
    """The address is that of a proxy that is not trusted."""
    settings.AUTHSVC_METRICS_NETWORKS = networks("127.0.0.0/8")
    assert status(client) == 200

    assert status(client, headers={header: "127.0.0.1"}) == 404


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Bearer {TOKEN}", 200), (f"Bearer  {TOKEN} ", 200), (f"bearer {TOKEN}", 404), (f"Basic {TOKEN}", 404), (TOKEN, 404),
        ("Bearer", 404), ("Bearer ", 404), (f"Bearer {TOKEN}x", 404), (f"Bearer {TOKEN[:-1]}", 404), ("Bearer tök€n", 404),
    ],
)  # fmt: skip
def test_the_token_opens_the_page_from_anywhere(
    header: str, expected: int, client: Client, settings: Settings
) -> None:
    settings.AUTHSVC_METRICS_TOKEN = TOKEN

    assert status(client, headers={"Authorization": header}) == expected
    assert status(client, headers={"Authorization": header, "X-Forwarded-For": "192.0.2.1"}) == expected


def test_without_a_token_in_the_settings_no_token_opens_the_page(client: Client) -> None:
    assert status(client, headers={"Authorization": "Bearer "}) == 404
    assert status(client, headers={"Authorization": "Bearer x"}) == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_only_get_and_head_are_allowed_and_others_do_not_learn_of_the_page(
    method: str, client: Client, settings: Settings
) -> None:
    assert getattr(client, method)("/metrics").status_code == 404

    settings.AUTHSVC_METRICS_NETWORKS = networks("127.0.0.0/8")
    assert getattr(client, method)("/metrics").status_code == 405


# Content --------------------------------------------------------------------------------------------


def test_the_page_is_in_the_format_of_prometheus(client: Client, settings: Settings) -> None:
    settings.AUTHSVC_METRICS_NETWORKS = networks("127.0.0.0/8")

    page = client.get("/metrics")

    assert page.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE authsvc_due_deliveries gauge" in page.content


def test_an_empty_service_has_no_backlog() -> None:
    assert value("authsvc_due_deliveries") == value("authsvc_due_age_seconds") == 0
    assert value("authsvc_database_up") == 1


def test_overdue_deliveries_are_counted_with_the_age_of_the_oldest() -> None:
    project = factories.make_project()
    services.start_challenge(
        project=project, phone=factories.phone(), language="en", origin=factories.ORIGIN, address="192.0.2.1"
    )
    Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=2))

    assert value("authsvc_due_deliveries") == 1
    age = value("authsvc_due_age_seconds")
    assert age
    assert 120 <= age < 180


def test_each_sender_is_in_exactly_one_state() -> None:
    sender = factories.make_sender("whatsapp")

    lines = re.findall(
        rf'authsvc_sender_state{{.*sender="{sender.id}".*state="(\w+)".*}} (\S+)', metrics.text().decode()
    )

    assert {state for state, _ in lines} == {item.value for item in State}
    assert sum(float(number) for _, number in lines) == 1


def test_a_database_that_is_away_is_a_metric_and_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> object:
        raise DatabaseError("away")

    monkeypatch.setattr("ops.metrics._backlog", refuse)

    assert value("authsvc_database_up") == 0
    assert value("authsvc_due_deliveries") is None


def test_a_redis_that_is_away_leaves_only_the_age_of_the_sweep_out(monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    def refuse() -> float:
        raise redis.ConnectionError

    monkeypatch.setattr("ops.metrics.heartbeat.seconds_since_sweep", refuse)

    assert value("authsvc_sweep_age_seconds") is None
    assert value("authsvc_database_up") == 1


def test_the_age_of_the_last_sweep_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.metrics.heartbeat.seconds_since_sweep", lambda: 1.5)

    assert value("authsvc_sweep_age_seconds") == 1.5
