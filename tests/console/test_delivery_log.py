"""The delivery log in the admin: outcome and timeline of challenges, without codes and numbers."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels.types import Status
from otp import services
from otp.models import Challenge, Delivery, DeliveryEvent
from projects.config import ProjectConfig
from tests import factories
from users.models import User

PASSWORD = "a long enough password"  # made up


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def staff(client: Client, project: ProjectConfig) -> Client:
    User.objects.create_superuser("admin", PASSWORD)
    client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    return client


@pytest.fixture
def challenge(project: ProjectConfig, monkeypatch: pytest.MonkeyPatch) -> Challenge:
    from otp import queue

    monkeypatch.setattr(queue, "enqueue_send", lambda _delivery_id: None)
    started = services.start_challenge(
        project=project,
        phone=factories.phone(),
        language="en",
        origin=factories.ORIGIN,
        address=factories.ADDRESS,
    )
    delivery = Delivery.objects.get()
    report = factories.report(delivery, Status.FAILED, message_id="wamid.HBgNNTIxNTU1MDEwMDEyMxUC")
    services.record_status_updates([report])
    return Challenge.objects.get(id=started.challenge_id)


def test_the_log_shows_outcome_and_a_masked_number(challenge: Challenge, staff: Client) -> None:
    """A9, P2."""
    page = staff.get("/admin/otp/challenge/").content.decode()

    assert "••67" in page
    assert "WhatsApp failed" in page
    assert factories.PHONE not in page


def test_the_timeline_tells_why_without_code_number_or_message_id(
    challenge: Challenge, staff: Client
) -> None:
    """K4, K5, A9."""
    page = staff.get(f"/admin/otp/challenge/{challenge.id}/change/").content.decode()

    assert "not_on_channel (131026)" in page
    assert "Started" in page
    for hidden in (factories.code_of(challenge.id), factories.PHONE, factories.PHONE[1:], "HBgNNTIx"):
        assert hidden not in page


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (factories.PHONE, 1),
        ("+852 5123 4567", 1),
        ("00852-5123-4567", 1),
        (factories.OTHER_PHONE, 0),
        ("5123", 0),
        ("nonsense", 0),
        ("' OR 1=1 --", 0),
    ],
)
def test_a_number_is_found_whole_in_any_spelling(
    term: str, found: int, challenge: Challenge, staff: Client
) -> None:
    answer = staff.get("/admin/otp/challenge/", {"q": term})

    assert answer.context["cl"].result_count == found


def test_a_challenge_is_found_by_its_id(challenge: Challenge, staff: Client) -> None:
    assert staff.get("/admin/otp/challenge/", {"q": str(challenge.id)}).context["cl"].result_count == 1


@pytest.mark.parametrize(("outcome", "found"), [("open", 1), ("verified", 0), ("given_up", 0)])
def test_the_log_is_filtered_by_outcome(
    outcome: str, found: int, challenge: Challenge, staff: Client
) -> None:
    assert staff.get("/admin/otp/challenge/", {"outcome": outcome}).context["cl"].result_count == found


@pytest.mark.parametrize("page", ["add/", "{id}/delete/"])
def test_the_log_is_read_only(page: str, challenge: Challenge, staff: Client) -> None:
    path = f"/admin/otp/challenge/{page.format(id=challenge.id)}"

    assert staff.get(path).status_code == 403
    assert staff.post(path, {"post": "yes"}).status_code == 403
    assert staff.post(f"/admin/otp/challenge/{challenge.id}/change/", {"attempts": 3}).status_code == 403
    assert Challenge.objects.filter(id=challenge.id, attempts=0).exists()


def test_the_log_costs_the_same_for_one_and_for_many(
    challenge: Challenge, staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for nth in range(30):
        copy = Challenge.objects.get(id=challenge.id)
        copy.pk, copy.phone = None, f"+8525123{nth:04}"
        copy.id = Challenge._meta.get_field("id").get_default()
        copy.save(force_insert=True)
        moment = timezone.now() + timedelta(seconds=nth)
        Delivery.objects.create(
            challenge=copy, channel="whatsapp", created_at=moment, send_after=moment, status_at=moment
        )

    with django_assert_max_num_queries(12):
        staff.get("/admin/otp/challenge/")


def test_events_are_what_the_timeline_reads(challenge: Challenge) -> None:
    assert DeliveryEvent.objects.filter(delivery__challenge=challenge).count() == 1
