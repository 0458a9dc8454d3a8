"""P2: while reports are missing, silence costs nobody a second message, and one report ends it."""

import pytest
from django.test import TestCase
from django.utils import timezone

from channels.errors import SendError
from channels.models import Sender
from channels.types import FailureReason, Receipt, Status
from console import timeline
from core.redis import LocalStore
from otp import missing_reports, services
from otp import sweep as watch
from otp.models import Challenge
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks
from tests.otp.missing_reports.support import (
    SMS,
    WHATSAPP,
    WRONG,
    Logins,
    about,
    entry,
    is_missing,
    post,
    sweep,
)
from tests.webhooks import support


def test_silence_sends_nothing_and_the_page_offers_the_sms(
    missing: None, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: it was WhatsApp and then an SMS, for everybody, for ever."""
    (challenge_id,) = logins(1)
    assert services.describe(challenge_id=challenge_id).fallback_at is None
    before = len(providers.sent)

    with later(21):
        sweep(queued)
        (item,) = factories.deliveries(challenge_id)
        assert (item.status, item.due_at) == (Status.EXPIRED, None)
        assert len(providers.sent) == before
        view = services.describe(challenge_id=challenge_id)
        assert (view.channels, view.fallback_at) == ((WHATSAPP, SMS), None)
        assert view.resend_at[SMS] <= timezone.now()

        services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS)
        for delivery in factories.deliveries(challenge_id):
            from otp import send as sending

            sending.send_delivery(delivery_id=delivery.id)
        assert providers.channels[before:] == [SMS]
    with later(60):
        sweep(queued)
    assert len(providers.sent) == before + 1


def test_the_timeline_says_why_nothing_was_sent(missing: None, logins: Logins, queued: QueuedTasks) -> None:
    """P2."""
    (challenge_id,) = logins(1)
    with later(21):
        sweep(queued)

    last = timeline.steps(Challenge.objects.get(id=challenge_id))[-1]
    assert "expired" in last.what
    assert "no report of this sender arrives" in last.detail


def test_missing_reports_are_decided_by_what_came_not_by_when_a_sweep_checked(
    logins: Logins, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep that finds the silence may be the first to see it."""
    logins(3)
    with later(50):
        (late,) = logins(1)
    monkeypatch.setattr(missing_reports, "check", lambda: None)

    with later(71):
        watch.watch_deliveries()

    assert factories.channels_of(late) == [WHATSAPP]
    assert not is_missing()


def test_before_they_are_missing_silence_is_followed_by_the_sms(
    logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """The first ones, within the first minute: nobody knows yet."""
    begun = logins(3)

    with later(21):
        sweep(queued)

    assert [factories.channels_of(item) for item in begun] == [[WHATSAPP, SMS]] * 3


@pytest.mark.parametrize("reason", [FailureReason.NOT_ON_CHANNEL, FailureReason.MISCONFIGURED])
def test_what_is_refused_falls_back_as_ever(
    reason: FailureReason, missing: None, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: only silence says nothing."""
    providers.fail(WHATSAPP, SendError(reason))

    (challenge_id,) = logins(1)

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


def test_a_lost_answer_is_followed_by_the_sms_as_ever(
    missing: None, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    """P2: a provider that hangs is trouble of its own, reports or not."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)
    (challenge_id,) = logins(1)
    with later(21):
        sweep(queued)

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


@pytest.mark.parametrize("secret", [support.SECRET, WRONG])
def test_only_a_signed_failure_falls_back(
    secret: str, missing: None, logins: Logins, queued: QueuedTasks, providers: Providers
) -> None:
    (challenge_id,) = logins(1)
    with TestCase.captureOnCommitCallbacks(execute=True):
        status = post(about(factories.deliveries(challenge_id)[0], "failed"), secret=secret)
    queued.run()

    assert (status, factories.channels_of(challenge_id)) == (
        (200, [WHATSAPP, SMS]) if secret == support.SECRET else (401, [WHATSAPP])
    )


def test_posts_with_another_signature_change_nothing(
    missing: None, logins: Logins, queued: QueuedTasks
) -> None:
    """P2: anybody can send them. They neither end it nor begin it."""
    for _ in range(20):
        assert post(entry(statuses=[support.status()]), secret=WRONG) == 401
    with later(10):
        sweep(queued)
        assert is_missing()


def test_forged_posts_alone_are_no_missing_reports(logins: Logins, queued: QueuedTasks) -> None:
    first, *_ = logins(3)
    for _ in range(20):
        assert post(entry(statuses=[support.status()]), secret=WRONG) == 401
    assert post(about(factories.deliveries(first)[0], "sent")) == 200
    with later(61):
        sweep(queued)
        assert not is_missing()


# How it ends ----------------------------------------------------------------------------------------------


def test_the_first_signed_report_ends_it(missing: None, logins: Logins, queued: QueuedTasks) -> None:
    """P2."""
    (first,) = logins(1)
    assert post(about(factories.deliveries(first)[0])) == 200
    assert not is_missing()

    (second,) = logins(1)
    assert services.describe(challenge_id=second).fallback_at is not None
    with later(21):
        sweep(queued)
    assert factories.channels_of(second) == [WHATSAPP, SMS]


def test_saving_the_sender_alone_ends_nothing(
    missing: None, sender: Sender, logins: Logins, queued: QueuedTasks
) -> None:
    """It may have been the wrong field. The next login shows whether it works, and pays for no SMS if not."""
    sender.secrets["app_secret"] = WRONG
    sender.save()
    (challenge_id,) = logins(1)
    with later(21):
        sweep(queued)

    assert factories.channels_of(challenge_id) == [WHATSAPP]
    assert is_missing()
    assert post(entry(statuses=[support.status()]), secret=WRONG) == 200
    assert not is_missing()


def test_missing_reports_outlive_processes(missing: None, logins: Logins, queued: QueuedTasks) -> None:
    """P2: nothing that decides is in memory, and what each process remembers is only when it last wrote."""
    from channels.senders import senders

    LocalStore.clear_all()
    senders.clear()
    with later(5):
        sweep(queued)
        assert is_missing()
        LocalStore.clear_all()
        assert post(entry(statuses=[support.status()])) == 200
        assert not is_missing()
        LocalStore.clear_all()
        sweep(queued)
        assert not is_missing()
