"""Asking again, and for another channel."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from abuse.errors import RateLimited
from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from otp import services
from otp.types import Cause
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.resends import answer_all, resend

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def test_a_resend_carries_the_same_code_on_the_same_channel(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """A12."""
    challenge_id = start()
    answer_all(queued)

    with later(30):
        resend(challenge_id)
        answer_all(queued)

    assert providers.channels == [WHATSAPP, WHATSAPP]
    assert providers.codes == {factories.code_of(challenge_id)}
    assert [item.number for item in factories.deliveries(challenge_id)] == [1, 2]


def test_a_resend_at_once_is_refused_with_the_wait(start: Start) -> None:
    """C3."""
    challenge_id = start()

    with pytest.raises(RateLimited) as refused:
        resend(challenge_id)

    assert refused.value.wait_seconds == 30
    assert len(factories.deliveries(challenge_id)) == 1


def test_the_waits_grow(start: Start) -> None:
    """C3: 30, 60, 120 seconds."""
    challenge_id = start()
    now = 0

    for wait in (30, 60, 120):
        with later(now + wait - 2), pytest.raises(RateLimited):
            resend(challenge_id)
        now += wait + 1
        with later(now):
            resend(challenge_id)

    assert len(factories.deliveries(challenge_id)) == 4


def test_the_other_channel_may_be_asked_for_at_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Who knows that they have no WhatsApp does not wait."""
    challenge_id = start()
    answer_all(queued)

    resend(challenge_id, SMS)
    answer_all(queued)

    last = factories.deliveries(challenge_id)[-1]
    assert providers.channels == [WHATSAPP, SMS]
    assert (last.cause, last.chosen) == (Cause.SWITCH, True)


def test_the_other_channel_again_must_wait_like_any_other(start: Start) -> None:
    challenge_id = start()
    resend(challenge_id, SMS)

    with later(10), pytest.raises(RateLimited):
        resend(challenge_id, SMS)


@pytest.mark.parametrize("channel", [WHATSAPP, SMS])
def test_a_chosen_channel_that_fails_says_so_and_stays(
    channel: Channel, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D14: only that provider is called."""
    challenge_id = start(channel=SMS if channel is WHATSAPP else WHATSAPP)
    answer_all(queued)
    providers.sent.clear()
    providers.fail(channel, SendError(FailureReason.NOT_ON_CHANNEL))

    resend(challenge_id, channel)
    answer_all(queued)

    last = services.describe(challenge_id=challenge_id).deliveries[-1]
    assert providers.sent == []
    assert (last.channel, last.status, last.cause) == (channel, Status.FAILED, Cause.SWITCH)


def test_the_resend_of_a_chosen_channel_is_the_users_choice_too(start: Start) -> None:
    challenge_id = start(channel=WHATSAPP)

    with later(31):
        resend(challenge_id)

    assert [item.chosen for item in factories.deliveries(challenge_id)] == [True, True]


def test_a_switch_stops_the_automatic_fallback(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """D3: the SMS that the user asked for is the only one."""
    challenge_id = start()
    answer_all(queued)
    resend(challenge_id, SMS)
    answer_all(queued)

    services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], Status.FAILED)])
    queued.fall_back = [factories.deliveries(challenge_id)[0].id]
    queued.run()

    assert providers.channels == [WHATSAPP, SMS]


def test_a_double_click_is_one_message_and_no_error(start: Start, queued: QueuedTasks) -> None:
    challenge_id = start()

    resend(challenge_id, SMS)
    resend(challenge_id, SMS)

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


@pytest.mark.parametrize(("seconds", "refused"), [(4.9, False), (5.1, True), (6.9, True)])
def test_a_click_counts_as_the_one_before_for_five_seconds(
    start: Start, seconds: float, refused: bool
) -> None:
    """T: DOUBLE_SUBMIT. Later it is a wish of its own, which has to wait like any other."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        challenge_id = start()
        resend(challenge_id, SMS)
        clock.shift(timedelta(seconds=seconds))
        try:
            resend(challenge_id, SMS)
        except RateLimited:
            assert refused
        else:
            assert not refused

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


def test_a_click_at_the_moment_of_the_fallback_is_that_message(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    answer_all(queued)

    resend(challenge_id, SMS)

    assert providers.channels == [SMS]
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_are_one_message(start: Start, queued: QueuedTasks) -> None:
    """C2, with real transactions."""
    from django.db import connection

    challenge_id = start()
    barrier = threading.Barrier(20)
    errors: list[Exception] = []

    def click() -> None:
        barrier.wait()
        try:
            resend(challenge_id, SMS)
        except Exception as error:  # noqa: BLE001 # none is expected
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert errors == []
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]
    assert len(queued.send) == 2
