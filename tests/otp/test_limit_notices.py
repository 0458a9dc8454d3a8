"""Ceilings that come near: an event for the project, a notice in the admin, once. W5."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from abuse.errors import RateLimited
from events.models import EventType
from otp import limit_notices, retention
from otp.models import LimitNotice
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start
from tests.threads import at_once
from users.models import User


@pytest.fixture(autouse=True, params=["configured", "memory"])
def _store(request: pytest.FixtureRequest, settings: LazySettings) -> None:
    if request.param == "memory":
        settings.REDIS_URL = ""


def begin(start: Start, count: int, *, first: int = 0, prefix: str = "+8525123") -> None:
    for nth in range(first, first + count):
        start(f"{prefix}{nth + 4000}", address=f"10.0.{nth}.1")


def told(slug: str = "acme") -> list[tuple[str, str, int]]:
    return [
        (str(data["rule"]), str(data["place"]), int(data["amount"]))
        for kind, data in factories.told(slug)
        if kind == "limit.near"
    ]


@pytest.mark.parametrize(
    ("rule", "amount", "place"),
    [
        ("send.range.hour", "10/1h", "+8525123••••"),
        ("send.range.day", "10/1d", "+8525123••••"),
        ("send.country", "10/1d", "HK"),
        ("send.project", "12/1d", ""),
    ],
)
def test_at_four_fifths_the_project_is_told_once(
    rule: str, amount: str, place: str, start: Start, project: ProjectConfig, settings: LazySettings
) -> None:
    others = ("send.country", "send.range.hour", "send.range.day")
    settings.AUTHSVC_LIMITS = dict.fromkeys(others, "100/1d") | {rule: amount}
    factories.make_endpoint(project, EventType.LIMIT_NEAR)
    count = int(amount.split("/", maxsplit=1)[0])
    before = -(-count * 4 // 5) - 1
    begin(start, before)
    assert told() == []

    begin(start, 1, first=before)
    assert told() == [(rule, place, count)]
    (notice,) = limit_notices.current()
    assert (str(notice.project), notice.rule, notice.place, notice.amount) == ("Acme", rule, place, count)

    for nth in range(4):
        try:
            begin(start, 1, first=before + 1 + nth)
        except RateLimited:
            break
    assert len(told()) == 1


def test_the_next_window_is_told_again_and_shown_once(
    start: Start, project: ProjectConfig, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {"send.range.hour": "5/1h"}
    factories.make_endpoint(project)
    begin(start, 4)
    with later(3700):
        assert limit_notices.current() == []
        begin(start, 4, first=10)
        assert len(told()) == 2
        assert len(limit_notices.current()) == 1
    assert LimitNotice.objects.count() == 1


def test_nobody_is_told_of_a_number_or_an_address(start: Start, settings: LazySettings) -> None:
    """Their ceilings are ordinary life."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "2/1h", "send.address": "2/10m"}
    start()

    assert not LimitNotice.objects.exists()


@pytest.mark.parametrize("staff", [True, False])
def test_the_admin_says_so(start: Start, settings: LazySettings, staff: bool) -> None:
    settings.AUTHSVC_LIMITS = {"send.range.hour": "5/1h"}
    begin(start, 4)
    client = Client()
    if staff:
        client.force_login(User.objects.create_superuser("root", "a long password"))

    page = client.get("/admin/", follow=True).content.decode()

    assert ("send.range.hour" in page) is staff
    assert ("+8525123••••" in page) is staff


def test_a_notice_goes_a_day_after_its_window(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.range.hour": "5/1h"}
    begin(start, 4)
    assert retention.purge()["limit notices"] == 0

    LimitNotice.objects.update(until=timezone.now() - timedelta(days=1, seconds=1))
    assert retention.purge()["limit notices"] == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_tells(queued: object, settings: LazySettings) -> None:
    """Whose count crosses the mark, tells."""
    from otp import services

    settings.AUTHSVC_LIMITS = {"send.range.hour": "30/1h"}
    project = factories.make_project()
    factories.make_endpoint(project, EventType.LIMIT_NEAR)

    def begin_one(nth: int) -> object:
        return services.start_challenge(
            project=project,
            phone=factories.phone(f"+8525123{nth + 4000}"),
            language="en",
            origin=factories.ORIGIN,
            address=f"10.0.{nth}.1",
        )

    at_once([lambda nth=nth: begin_one(nth) for nth in range(25)])  # type: ignore[misc] # a default

    assert len(told()) == 1
