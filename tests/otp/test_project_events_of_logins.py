"""`login.succeeded`: told for every right code, with the login or not at all, and to nobody else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from channels.types import Channel, Status
from core.errors import DomainError
from events.models import Endpoint, Event, EventType
from events.subscriptions import subscriptions
from otp import services
from otp.errors import ChallengeConsumed, UserBlocked, WrongCode, WrongPurpose
from otp.models import Challenge, Purpose
from otp.types import Verified
from projects.config import ProjectConfig
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.threads import at_once
from users.models import User

LOGIN = EventType.LOGIN_SUCCEEDED


@pytest.fixture
def endpoint(project: ProjectConfig) -> Endpoint:
    return factories.make_endpoint(project)


def logins(slug: str = "acme") -> list[dict[str, Any]]:
    return [data for kind, data in factories.told(slug) if kind == "login.succeeded"]


def test_a_login_is_told_with_what_a_project_wants_to_know(
    endpoint: Endpoint, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.run()
    verified = verify(challenge_id)

    assert factories.told() == [
        (
            "login.succeeded",
            {
                "user_id": str(verified.user_id),
                "challenge_id": str(challenge_id),
                "phone_masked": "+852 •••• ••67",
                "is_new": True,
                "amr": ["otp"],
                "channels": ["whatsapp"],
                "test": False,
                "at": verified.at.isoformat(),
            },
        )
    ]


def test_neither_code_nor_number_is_in_it(endpoint: Endpoint, start: Start, queued: QueuedTasks) -> None:
    """A9, G1: nor is either in the log of events, which the admin shows."""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    verify(challenge_id)

    body = Event.objects.get().body
    assert code not in body
    assert factories.PHONE.lstrip("+") not in body
    assert factories.PHONE[4:] not in body


def test_an_sms_that_was_sent_too_is_told(
    endpoint: Endpoint, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """`amr` tells the truth: which of two messages was read nobody can know."""
    challenge_id = start()
    queued.run()
    first = factories.deliveries(challenge_id)[0]
    services.record_status_updates([factories.report(first, Status.FAILED)])
    queued.fall_back.append(first.id)
    queued.run()
    verify(challenge_id)

    (data,) = logins()
    assert (data["amr"], data["channels"]) == (["otp", "sms"], ["whatsapp", "sms"])


def test_each_channel_is_named_once_in_the_order_of_use(
    endpoint: Endpoint, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start(channel=Channel.SMS)
    queued.run()
    for wait, channel in ((31, Channel.WHATSAPP), (120, Channel.SMS)):
        with later(wait):
            services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=channel)
            queued.send += [item.id for item in factories.deliveries(challenge_id)]
            queued.run()
    verify(challenge_id)

    assert providers.channels == [Channel.SMS, Channel.WHATSAPP, Channel.SMS]
    assert logins()[0]["channels"] == ["sms", "whatsapp"]


def test_who_comes_back_is_not_new(endpoint: Endpoint, start: Start) -> None:
    verify(start())
    with later(31):
        verify(start())

    first, second = logins()
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert first["user_id"] == second["user_id"]


def test_what_is_no_login_is_not_told(endpoint: Endpoint, start: Start) -> None:
    """A wrong code, a code that was used, somebody who is blocked."""
    challenge_id = start()
    with pytest.raises(WrongCode):
        verify(challenge_id, factories.wrong_code(challenge_id))
    assert logins() == []
    verify(challenge_id)
    with pytest.raises(ChallengeConsumed):
        verify(challenge_id)
    User.objects.update(is_active=False)
    with later(31):
        second = start()
        with pytest.raises(UserBlocked):
            verify(second)

    assert len(logins()) == 1


def test_a_login_that_is_undone_is_not_told(endpoint: Endpoint, start: Start) -> None:
    """Its session could not be written: neither consumed nor told; the same code works again."""
    challenge_id = start()
    with pytest.raises(ZeroDivisionError):
        verify(challenge_id, opens=services.Opens(write=lambda _verified: 1 // 0))  # type: ignore[arg-type]
    assert (Challenge.objects.get().verified_at, logins()) == (None, [])

    verify(challenge_id)
    assert len(logins()) == 1


def test_without_its_event_a_login_is_not_there_either(
    endpoint: Endpoint, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    from events import store

    challenge_id = start()
    with monkeypatch.context() as patch:
        patch.setattr(store, "insert", lambda *_, **__: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            verify(challenge_id)
    assert Challenge.objects.get().verified_at is None

    verify(challenge_id)
    assert len(logins()) == 1


def test_an_operators_test_message_is_no_login(endpoint: Endpoint, start: Start) -> None:
    with pytest.raises(WrongPurpose):  # O9
        verify(start(purpose=Purpose.TEST_MESSAGE))

    assert factories.told() == []


def test_a_test_number_is_told_as_one(endpoint: Endpoint, project: ProjectConfig, start: Start) -> None:
    from datetime import timedelta

    from django.utils import timezone

    from projects.config import projects

    until = timezone.now().date() + timedelta(days=1)
    TestNumber.objects.create(project_id=project.id, phone=factories.PHONE, code="000000", until=until)
    verify(start(project=projects.get().by_id[project.id]), "000000")

    (data,) = logins()
    assert (data["test"], data["amr"], data["channels"]) == (True, ["otp"], [])


def test_other_projects_are_told_nothing(project: ProjectConfig, start: Start) -> None:
    """K8."""
    other = factories.make_project(slug="other", is_default=False)
    factories.make_endpoint(other)
    verify(start())

    assert not Event.objects.exists()


def test_each_url_that_wants_it_is_told(project: ProjectConfig, start: Start) -> None:
    factories.make_endpoint(project, LOGIN)
    factories.make_endpoint(project, LOGIN, url="https://acme.example/audit")
    factories.make_endpoint(project, EventType.SENDER_ALERT, url="https://acme.example/ops")
    factories.make_endpoint(project, LOGIN, url="https://acme.example/off", is_active=False)
    verify(start())

    told = Event.objects.values_list("endpoint__url", flat=True)
    assert sorted(told) == ["https://acme.example/audit", "https://acme.example/events"]


@pytest.mark.django_db(transaction=True)
def test_of_many_right_answers_at_once_one_is_told(project: ProjectConfig, start: Start) -> None:
    """A6."""
    factories.make_endpoint(project)
    challenge_id = start()

    results = at_once([lambda: verify(challenge_id)] * 20)

    assert sum(isinstance(result, Verified) for result in results) == 1
    assert sum(isinstance(result, DomainError) for result in results) == 19
    assert len(logins()) == 1


def gone(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(id=endpoint.id).delete()


def switched_off(endpoint: Endpoint) -> None:
    Endpoint.objects.filter(id=endpoint.id).update(is_active=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", [gone, switched_off])
def test_a_login_does_not_fail_for_an_url_that_is_gone_by_now(
    change: Callable[[Endpoint], None], project: ProjectConfig, start: Start
) -> None:
    """This process has not heard of it yet; its foreign key would be checked at the commit."""
    endpoint = factories.make_endpoint(project)
    challenge_id = start()
    assert subscriptions.get().endpoints(project.id, LOGIN) == (endpoint.id,)
    change(endpoint)

    with transaction.atomic():
        verify(challenge_id)

    assert Challenge.objects.get().verified_at
    assert not Event.objects.exists()


def test_a_new_url_is_told_of_the_next_login(project: ProjectConfig, start: Start) -> None:
    verify(start())
    factories.make_endpoint(project)
    with later(31):
        verify(start())

    assert json.loads(Event.objects.get().body)["data"]["is_new"] is False
