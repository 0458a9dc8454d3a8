"""What may never be is refused by the database itself."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels.types import Status
from core.ids import oldest_id_at
from otp import retention
from otp.models import Challenge, Delivery, DeliveryEvent
from projects.config import ProjectConfig
from projects.models import LoginMethods, Project
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from users.models import User


def refused(act: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()  # type: ignore[operator] # a callable


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"attempts": 6}, id="more wrong codes than allowed"),
        pytest.param({"code_length": 5}, id="A1: a short code"),
        pytest.param({"code_length": 11}, id="a long code"),
        pytest.param(
            {"verified_at": timezone.now(), "ended_at": timezone.now(), "end_reason": "cancelled"},
            id="verified and ended",
        ),
        pytest.param({"ended_at": timezone.now()}, id="an end without a reason"),
        pytest.param({"end_reason": "cancelled"}, id="a reason without an end"),
        pytest.param({"expires_at": timezone.now() - timedelta(days=1)}, id="over before it began"),
    ],
)
def test_impossible_challenges(values: dict[str, object], start: Start) -> None:
    start()

    refused(lambda: Challenge.objects.update(**values))


def another(challenge_id: uuid.UUID, **values: Any) -> Delivery:
    now = timezone.now()
    fields: dict[str, Any] = {"channel": "sms", "created_at": now, "send_after": now, "status_at": now}
    return Delivery.objects.create(challenge_id=challenge_id, **(fields | values))


def test_one_delivery_for_each_number_of_a_channel(start: Start) -> None:
    challenge_id = start()
    another(challenge_id)

    refused(lambda: another(challenge_id))


def test_one_fallback_for_each_challenge(start: Start) -> None:
    """D3."""
    challenge_id = start()
    another(challenge_id, cause="fallback")

    refused(lambda: another(challenge_id, number=2, cause="fallback"))


def test_one_challenge_for_each_form(start: Start) -> None:
    start(form_token="a")
    start(factories.OTHER_PHONE, form_token="b")
    key = Challenge.objects.order_by("id")[0].start_key

    refused(lambda: Challenge.objects.filter(phone=factories.OTHER_PHONE).update(start_key=key))


@pytest.mark.parametrize(
    "values",
    [
        {"otp_length": 5},
        {"otp_length": 11},
        {"otp_valid_seconds": 59},
        {"otp_valid_seconds": 601},
        {"max_attempts": 0},
        {"max_attempts": 11},
        {"fallback_wait_seconds": 1},
        {"resend_after_seconds": 1},
        {"verify_phone_by": "pigeon"},
    ],
)
def test_impossible_login_methods(values: dict[str, object], project: ProjectConfig) -> None:
    """A1, A3."""
    refused(lambda: LoginMethods.objects.update(**values))


def test_one_default_project(project: ProjectConfig) -> None:
    refused(lambda: Project.objects.create(slug="second", name="Second", is_default=True))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"phone": None}, id="a person without a number"),
        pytest.param({"is_staff": True}, id="K1: a person who is staff"),
        pytest.param({"is_superuser": True}, id="K1: a person who is a superuser"),
        pytest.param({"username": "both"}, id="a person with a username"),
    ],
)
def test_people_and_staff_are_apart(values: dict[str, object], project: ProjectConfig) -> None:
    person = User.objects.create(project_id=project.id, phone=factories.PHONE)

    refused(lambda: User.objects.filter(id=person.id).update(**values))


def test_one_user_for_each_number_of_a_project(project: ProjectConfig) -> None:
    """H12."""
    User.objects.create(project_id=project.id, phone=factories.PHONE)

    refused(lambda: User.objects.create(project_id=project.id, phone=factories.PHONE))


def test_purge_takes_what_is_old_with_all_that_hangs_on_it(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """P4."""
    old, young = start(), start(factories.OTHER_PHONE, address="198.51.100.1")
    queued.run()
    aged = oldest_id_at(timezone.now() - retention.CHALLENGES_KEPT - timedelta(minutes=1))
    copy = Challenge.objects.get(id=old)
    copy.id, copy.start_key = aged, None
    copy.save(force_insert=True)
    Delivery.objects.filter(challenge_id=old).update(challenge_id=aged)

    assert retention.purge()["challenges"] == 1

    assert set(Challenge.objects.values_list("id", flat=True)) == {old, young}
    assert Delivery.objects.count() == DeliveryEvent.objects.count() == 1


def test_status_outside_the_list_is_refused(start: Start) -> None:
    start()

    refused(lambda: Delivery.objects.update(status=max(Status) + 1))
