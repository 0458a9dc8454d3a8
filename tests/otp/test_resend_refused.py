"""Asking again when that is too much, too late or for a channel that is not there."""

import pytest
from django.conf import LazySettings

from abuse.errors import RateLimited, Unavailable
from channels.models import Sender
from channels.types import Channel
from core.ids import new_id
from otp import services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    ChannelNotAllowed,
)
from otp.models import Challenge, Delivery
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from tests.otp.resends import resend

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


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


def test_what_cannot_be_sent_uses_up_no_limit(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"send.number.hour": "2/1h"}
    challenge_id = start()
    sender = Sender.objects.get(channel="sms")
    kept = sender.id
    sender.delete()
    for _ in range(3):
        with pytest.raises(Unavailable):
            resend(challenge_id, SMS)

    sender.id = kept
    sender.save(force_insert=True)

    resend(challenge_id, SMS)
    assert len(factories.deliveries(challenge_id)) == 2


@pytest.mark.django_db
def test_an_unknown_challenge_is_not_found() -> None:
    with pytest.raises(ChallengeNotFound):
        resend(new_id())


def test_a_challenge_that_is_over_sends_nothing(start: Start, queued: QueuedTasks) -> None:
    cancelled = start()
    services.cancel(challenge_id=cancelled)
    verified = start(factories.OTHER_PHONE, address="198.51.100.1")
    verify(verified)
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


def test_a_test_number_is_never_sent_anything(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """A10."""
    challenge_id = start()
    Challenge.objects.update(is_test=True)

    resend(challenge_id, SMS)

    assert factories.channels_of(challenge_id) == [WHATSAPP]
