"""A message without a delivery report is followed by the next channel, unless its challenge is over."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from channels.types import Channel, FailureReason, Receipt, Status
from otp import policy, services, sweep
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def whatsapp(challenge_id: uuid.UUID) -> Delivery:
    return Delivery.objects.get(challenge_id=challenge_id, channel=WHATSAPP)


def fallback_of(challenge_id: uuid.UUID, queued: QueuedTasks) -> None:
    """Runs the task that follows a failed report (tests never commit, so it is called by hand)."""
    queued.fall_back.append(whatsapp(challenge_id).id)
    queued.run()


def silence(challenge_id: uuid.UUID | None, queued: QueuedTasks, *, seconds: float) -> None:
    with later(seconds):
        sweep.watch_deliveries()
        queued.run()


def test_silence_is_followed_by_an_sms_after_the_wait(
    start: Start, queued: QueuedTasks, providers: Providers, project: ProjectConfig
) -> None:
    """D1: accepted is not delivered."""
    challenge_id = start()
    queued.run()

    silence(challenge_id, queued, seconds=project.fallback_wait_seconds - 1)
    assert providers.channels == [WHATSAPP]
    silence(challenge_id, queued, seconds=project.fallback_wait_seconds + 1)

    assert providers.channels == [WHATSAPP, SMS]
    assert whatsapp(challenge_id).status == Status.EXPIRED
    assert whatsapp(challenge_id).reason == FailureReason.NO_REPORT


def test_sent_alone_is_silence_too(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """The incumbent's offline phones get stuck here."""
    challenge_id = start()
    queued.run()
    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.SENT)])

    silence(challenge_id, queued, seconds=21)

    assert providers.channels == [WHATSAPP, SMS]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_delivered_cancels_the_timer(
    status: Status, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D5."""
    challenge_id = start()
    queued.run()
    services.record_status_updates([factories.report(whatsapp(challenge_id), status)])

    silence(challenge_id, queued, seconds=60)

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).due_at is None


def test_an_uncertain_send_is_not_repeated_and_waits_for_news(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D11: the answer was lost after the message was taken."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)
    challenge_id = start()
    queued.run()
    services.record_status_updates(
        [factories.report(whatsapp(challenge_id), Status.DELIVERED, message_id="late-id")]
    )

    silence(challenge_id, queued, seconds=60)

    assert providers.channels == [WHATSAPP]
    assert whatsapp(challenge_id).provider_message_id == "late-id"


def test_no_sms_after_the_user_got_in(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """D4."""
    challenge_id = start()
    queued.run()
    verify(challenge_id)

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, queued)
    silence(challenge_id, queued, seconds=60)

    assert providers.channels == [WHATSAPP]


def expire(challenge_id: uuid.UUID) -> None:
    Challenge.objects.filter(id=challenge_id).update(
        created_at=timezone.now() - timedelta(seconds=700), expires_at=timezone.now() - timedelta(seconds=100)
    )


def cancel(challenge_id: uuid.UUID) -> None:
    services.cancel(challenge_id=challenge_id)


def lock(challenge_id: uuid.UUID) -> None:
    Challenge.objects.filter(id=challenge_id).update(attempts=5)


@pytest.mark.parametrize("end", [expire, cancel, lock])
def test_no_sms_once_the_challenge_is_over(
    end: Callable[[uuid.UUID], None], start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D4, D9: late or forged failures send nothing."""
    challenge_id = start()
    queued.run()
    end(challenge_id)

    services.record_status_updates([factories.report(whatsapp(challenge_id), Status.FAILED)])
    fallback_of(challenge_id, queued)
    silence(challenge_id, queued, seconds=30)

    assert providers.channels == [WHATSAPP]


def test_the_wait_before_the_fallback_is_shown_while_it_lasts(
    start: Start, queued: QueuedTasks, project: ProjectConfig
) -> None:
    challenge_id = start()
    assert services.describe(challenge_id=challenge_id).fallback_at is None


def test_when_the_sms_will_go_is_told(
    start: Start, queued: QueuedTasks, providers: Providers, project: ProjectConfig
) -> None:
    challenge_id = start()
    queued.run()

    fallback_at = services.describe(challenge_id=challenge_id).fallback_at

    assert fallback_at is not None
    wait = (fallback_at - timezone.now()).total_seconds()
    assert 0 < wait <= project.fallback_wait_seconds
    assert policy.window(channel=WHATSAPP, wait_seconds=7) == timedelta(seconds=7)
