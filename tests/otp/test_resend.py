"""Asking again, and for another channel."""

import threading

import pytest
from django.conf import LazySettings

from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp import services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    ChannelNotAllowed,
    RateLimited,
    Unavailable,
)
from otp.models import Cause, Challenge, Delivery
from projects.ids import new_id
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def resend(challenge_id: object, channel: Channel | None = None) -> None:
    services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=channel)  # type: ignore[arg-type] # an id


def answer_all(bells: Bells) -> None:
    """Rings are made after the commit, which a test's transaction never reaches."""
    queued = Delivery.objects.filter(status=Status.QUEUED).order_by("id").values_list("id", flat=True)
    bells.send = list(queued)
    bells.answer()


def test_a_resend_carries_the_same_code_on_the_same_channel(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """A12."""
    challenge_id = start()
    answer_all(bells)

    with later(30):
        resend(challenge_id)
        answer_all(bells)

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


def test_the_other_channel_may_be_asked_for_at_once(start: Start, bells: Bells, providers: Providers) -> None:
    """Who knows that they have no WhatsApp does not wait."""
    challenge_id = start()
    answer_all(bells)

    resend(challenge_id, SMS)
    answer_all(bells)

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
    channel: Channel, start: Start, bells: Bells, providers: Providers
) -> None:
    """D14: only that provider is called."""
    challenge_id = start(channel=SMS if channel is WHATSAPP else WHATSAPP)
    answer_all(bells)
    providers.sent.clear()
    providers.fail(channel, SendError(FailureReason.NOT_ON_CHANNEL))

    resend(challenge_id, channel)
    answer_all(bells)

    last = services.describe(challenge_id=challenge_id).deliveries[-1]
    assert providers.sent == []
    assert (last.channel, last.status, last.cause) == (channel, Status.FAILED, Cause.SWITCH)


def test_the_resend_of_a_chosen_channel_is_the_users_choice_too(start: Start) -> None:
    challenge_id = start(channel=WHATSAPP)

    with later(31):
        resend(challenge_id)

    assert [item.chosen for item in factories.deliveries(challenge_id)] == [True, True]


def test_a_switch_stops_the_automatic_fallback(start: Start, bells: Bells, providers: Providers) -> None:
    """D3: the SMS that the user asked for is the only one."""
    challenge_id = start()
    answer_all(bells)
    resend(challenge_id, SMS)
    answer_all(bells)

    services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], Status.FAILED)])
    bells.fall_back = [factories.deliveries(challenge_id)[0].id]
    bells.answer()

    assert providers.channels == [WHATSAPP, SMS]


def test_a_double_click_is_one_message_and_no_error(start: Start, bells: Bells) -> None:
    challenge_id = start()

    resend(challenge_id, SMS)
    resend(challenge_id, SMS)

    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


def test_a_click_at_the_moment_of_the_fallback_is_that_message(
    start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    answer_all(bells)

    resend(challenge_id, SMS)

    assert providers.channels == [SMS]
    assert factories.channels_of(challenge_id) == [WHATSAPP, SMS]


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_are_one_message(start: Start, bells: Bells) -> None:
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
    assert len(bells.send) == 2


def test_after_five_sends_it_is_enough(start: Start, settings: LazySettings) -> None:
    challenge_id = start()
    Challenge.objects.update(sends=5)

    with later(31), pytest.raises(RateLimited):
        resend(challenge_id)


def test_the_ceiling_of_the_number_counts_every_channel(start: Start, settings: LazySettings) -> None:
    """C4."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "2/1h"}
    challenge_id = start()
    resend(challenge_id, SMS)

    with later(31), pytest.raises(RateLimited):
        resend(challenge_id)

    assert len(factories.deliveries(challenge_id)) == 2


def test_a_refused_resend_changes_nothing(start: Start) -> None:
    challenge_id = start()
    before = Challenge.objects.values().get()

    with pytest.raises(RateLimited):
        resend(challenge_id)

    assert Challenge.objects.values().get() == before


def test_a_channel_that_is_not_promised_is_refused(start: Start) -> None:
    challenge_id = start()
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()

    with pytest.raises(ChannelNotAllowed):
        resend(challenge_id, SMS)


def test_a_channel_without_a_sender_is_unavailable(start: Start) -> None:
    challenge_id = start()
    Sender.objects.get(channel="sms").delete()

    with pytest.raises(Unavailable):
        resend(challenge_id, SMS)


@pytest.mark.django_db
def test_an_unknown_challenge_is_not_found() -> None:
    with pytest.raises(ChallengeNotFound):
        resend(new_id())


def test_a_challenge_that_is_over_sends_nothing(start: Start, bells: Bells) -> None:
    cancelled = start()
    services.cancel(challenge_id=cancelled)
    verified = start(factories.OTHER_PHONE, address="198.51.100.1")
    services.verify_challenge(
        challenge_id=verified, code=factories.code_of(verified), address=factories.ADDRESS
    )
    locked = start("+34612345678", address="198.51.100.2")
    Challenge.objects.filter(id=locked).update(attempts=5)

    for challenge_id, expected in (
        (cancelled, ChallengeExpired),
        (verified, ChallengeConsumed),
        (locked, ChallengeLocked),
    ):
        with pytest.raises(expected):
            resend(challenge_id, SMS)

    assert Delivery.objects.count() == 3


def test_a_test_number_is_never_sent_anything(start: Start, bells: Bells, providers: Providers) -> None:
    """A10."""
    challenge_id = start()
    Challenge.objects.update(is_test=True)

    resend(challenge_id, SMS)

    assert factories.channels_of(challenge_id) == [WHATSAPP]
