"""Logins with a fictional number that staff rehearse: the sandbox plays the messages, no sender is asked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels import rehearsals
from channels.models import Outcome, Rehearsal, Sender
from channels.types import Channel, FailureReason, Status
from core.config_models import ConfigVersion
from otp import services, sweep
from otp.errors import WrongCode
from otp.models import Challenge, PhoneRecord, Purpose
from projects.config import ProjectConfig, projects
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start, prove, verify
from tests.otp.rehearsing import forget_sent, really_sent, rehearse
from users.models import User


@pytest.fixture(autouse=True)
def _nothing_sent() -> Iterator[None]:
    forget_sent()
    yield
    forget_sent()


def statuses(challenge_id: Any) -> list[tuple[str, Status]]:
    return [(item.channel, Status(item.status)) for item in factories.deliveries(challenge_id)]


def test_the_message_arrives_in_the_sandbox_and_its_code_logs_in(
    start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    phone = rehearse(project).phone
    challenge_id = start(phone)
    queued.run()

    assert statuses(challenge_id) == [("whatsapp", Status.DELIVERED)]
    verified = verify(challenge_id)
    assert (verified.is_test, verified.is_new, verified.phone) == (True, True, phone)
    assert User.objects.get(phone=phone).id == verified.user_id
    assert really_sent() == []


def test_a_message_that_fails_falls_back(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    phone = rehearse(project, whatsapp=Outcome.FAILED).phone
    challenge_id = start(phone)
    queued.run()

    assert statuses(challenge_id) == [("whatsapp", Status.FAILED), ("sms", Status.DELIVERED)]
    assert factories.deliveries(challenge_id)[0].reason == FailureReason.UNREACHABLE
    # The next rehearsal begins with WhatsApp again.
    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()
    assert really_sent() == []


def test_silence_falls_back_after_the_wait(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    phone = rehearse(project, whatsapp=Outcome.SILENT).phone
    challenge_id = start(phone)
    queued.run()
    assert statuses(challenge_id) == [("whatsapp", Status.ACCEPTED)]

    with later(project.fallback_wait_seconds + 1):
        sweep.watch_deliveries()
        queued.run()

    assert statuses(challenge_id) == [("whatsapp", Status.EXPIRED), ("sms", Status.DELIVERED)]
    assert really_sent() == []


def test_both_channels_fail(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    phone = rehearse(project, whatsapp=Outcome.FAILED, sms=Outcome.FAILED).phone
    challenge_id = start(phone)
    queued.run()

    assert statuses(challenge_id) == [("whatsapp", Status.FAILED), ("sms", Status.FAILED)]


def test_asking_again_is_played_too(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    phone = rehearse(project).phone
    challenge_id = start(phone)
    queued.run()
    with later(project.resend_after_seconds + 1):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS)
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=Channel.SMS)
        queued.send += [
            item.id for item in factories.deliveries(challenge_id) if item.status == Status.QUEUED
        ]
        queued.run()

    assert statuses(challenge_id) == [
        ("whatsapp", Status.DELIVERED),
        ("whatsapp", Status.DELIVERED),
        ("sms", Status.DELIVERED),
    ]
    assert really_sent() == []


def test_it_works_before_there_is_any_sender(
    start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    Sender.objects.all().delete()
    phone = rehearse(project).phone
    challenge_id = start(phone)
    queued.run()

    assert verify(challenge_id).is_test


def test_a_country_that_is_not_allowed_can_be_rehearsed(
    start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    """There are fictional numbers in one country only."""
    row = project.id
    from projects.models import LoginMethods

    LoginMethods.objects.filter(project_id=row).update(countries_allowed=["HK"])
    ConfigVersion.bump()
    phone = rehearse(project).phone

    assert start(phone, project=projects.get().by_id[row])


# What it must not be -----------------------------------------------------------------------------------


def test_other_numbers_are_sent_as_ever(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    rehearse(project)
    challenge_id = start()
    queued.run()

    assert [message.phone for message in really_sent()] == [factories.PHONE]
    assert not Challenge.objects.get(id=challenge_id).is_test


def test_another_project_is_not_rehearsed(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    other = factories.make_project(slug="beta", name="Beta", is_default=False)
    phone = rehearse(other).phone
    challenge_id = start(phone)
    queued.run()

    assert not Challenge.objects.get(id=challenge_id).is_test
    assert [message.phone for message in really_sent()] == [phone]


@pytest.mark.parametrize("how", ["ended", "over"])
def test_nothing_works_once_it_is_over(
    how: str, start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    """A code on somebody's screen is worth nothing any more, and a message that waits goes nowhere."""
    row = rehearse(project)
    first, second = start(row.phone), start(row.phone)
    queued.send.remove(factories.deliveries(second)[0].id)
    queued.run()
    code = factories.code_of(first)
    if how == "ended":
        rehearsals.end(row)
    else:
        Rehearsal.objects.filter(id=row.id).update(ends_at=timezone.now() - timedelta(seconds=1))
        ConfigVersion.bump()

    with pytest.raises(WrongCode):
        verify(first, code)
    queued.send.append(factories.deliveries(second)[0].id)
    queued.run()

    failed = factories.deliveries(second)[0]
    assert (failed.status, failed.reason) == (Status.FAILED, FailureReason.NO_SENDER)
    assert len(factories.deliveries(second)) == 1  # nothing takes over
    assert really_sent() == []
    assert not User.objects.filter(phone=row.phone).exists()


def test_a_challenge_from_before_stays_real(
    start: Start, project: ProjectConfig, queued: QueuedTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a challenge is was decided when it began."""
    phone = rehearse(project).phone
    Rehearsal.objects.update(ended_at=timezone.now())
    ConfigVersion.bump()
    challenge_id = start(phone)
    monkeypatch.setattr("users.fictional.choose", lambda *, taken: phone)
    rehearse(project)
    queued.run()

    assert [message.phone for message in really_sent()] == [phone]
    assert not verify(challenge_id).is_test


def test_a_wrong_code_is_counted(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    challenge_id = start(rehearse(project).phone)

    with pytest.raises(WrongCode):
        verify(challenge_id, factories.wrong_code(challenge_id))
    assert Challenge.objects.get(id=challenge_id).attempts == 1


def test_a_code_belongs_to_its_challenge(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    """Two rehearsals at once, of two people."""
    one = start(rehearse(project).phone)
    Rehearsal.objects.update(staff=User.objects.create_user("another", "x"))
    two = start(rehearse(project).phone)

    with pytest.raises(WrongCode):
        verify(one, factories.code_of(two))
    verify(one)
    verify(two)


def test_a_right_code_of_a_real_challenge_is_none_of_a_test_number(
    start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    """While a rehearsal runs, test numbers still take their fixed code only."""
    phone = factories.OTHER_PHONE
    TestNumber.objects.create(project_id=project.id, phone=phone, code="424242", until="2999-01-01")
    rehearse(project)
    challenge_id = start(phone, project=projects.get().by_id[project.id])

    with pytest.raises(WrongCode):
        verify(challenge_id)
    verify(challenge_id, "424242")


def test_step_up_can_be_rehearsed(start: Start, project: ProjectConfig, queued: QueuedTasks) -> None:
    challenge_id = start(rehearse(project).phone, purpose=Purpose.ASSERTION)
    queued.run()

    assert prove(challenge_id).is_test
    assert not User.objects.filter(phone__isnull=False).exists()


def test_what_applications_hear_of_a_rehearsal_says_that_it_is_one(
    start: Start, project: ProjectConfig, queued: QueuedTasks
) -> None:
    factories.make_endpoint(project)
    start(rehearse(project, whatsapp=Outcome.FAILED).phone)
    queued.run()
    with later(30):
        sweep.watch_deliveries()
        queued.run()

    told = factories.told()
    assert {"delivery.failed", "fallback.sent"} <= {kind for kind, _data in told}
    assert all(data["test"] is True for _kind, data in told)
