"""The one function behind the login page's state."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels.types import Channel, FailureReason, Status
from otp import services
from otp.errors import ChallengeNotFound, WrongCode
from otp.models import Challenge
from otp.types import State
from projects.config import projects
from projects.ids import new_id
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start


def test_what_a_page_shows_right_after_the_start(start: Start) -> None:
    challenge_id = start()

    view = services.describe(challenge_id=challenge_id)

    assert view.state is State.PENDING
    assert view.channel == Channel.WHATSAPP
    assert view.channels == (Channel.WHATSAPP, Channel.SMS)
    assert view.code_length == 6
    assert view.attempts_left == 5
    assert [(item.channel, item.status) for item in view.deliveries] == [(Channel.WHATSAPP, Status.QUEUED)]


def test_the_number_is_masked(start: Start) -> None:
    """G12."""
    view = services.describe(challenge_id=start())

    assert factories.PHONE not in repr(view)
    assert "1234" not in view.phone_masked
    assert view.phone_masked.endswith("67")


def test_each_channel_has_its_own_wait(start: Start) -> None:
    challenge_id = start()

    waits = services.describe(challenge_id=challenge_id).resend_at

    assert waits[Channel.WHATSAPP] > timezone.now() + timedelta(seconds=25)
    assert waits[Channel.SMS] <= timezone.now()


def test_wrong_codes_are_counted_down(start: Start) -> None:
    challenge_id = start()
    with pytest.raises(WrongCode):
        services.verify_challenge(
            challenge_id=challenge_id, code=factories.wrong_code(challenge_id), address=factories.ADDRESS
        )

    assert services.describe(challenge_id=challenge_id).attempts_left == 4


def test_states(start: Start) -> None:
    verified = start()
    services.verify_challenge(
        challenge_id=verified, code=factories.code_of(verified), address=factories.ADDRESS
    )
    locked = start(factories.OTHER_PHONE, address="198.51.100.1")
    Challenge.objects.filter(id=locked).update(attempts=5)
    cancelled = start("+34612345678", address="198.51.100.2")
    services.cancel(challenge_id=cancelled)
    pending = start("+34612345679", address="198.51.100.3")

    def state(challenge_id: object) -> State:
        return services.describe(challenge_id=challenge_id).state  # type: ignore[arg-type] # an id

    assert [state(item) for item in (verified, locked, cancelled, pending)] == [
        State.VERIFIED,
        State.LOCKED,
        State.EXPIRED,
        State.PENDING,
    ]
    with later(601):
        assert state(pending) is State.EXPIRED


def test_the_end_has_its_reason(start: Start) -> None:
    challenge_id = start()
    services.cancel(challenge_id=challenge_id)

    assert services.describe(challenge_id=challenge_id).end_reason == "cancelled"


def test_the_fallback_is_told_as_it_happened(start: Start, bells: Bells, providers: Providers) -> None:
    from channels.errors import SendError

    providers.fail(Channel.WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    challenge_id = start()
    bells.answer()

    view = services.describe(challenge_id=challenge_id)

    assert view.channel == Channel.SMS
    assert [(item.channel, item.status, item.reason, item.cause) for item in view.deliveries] == [
        (Channel.WHATSAPP, Status.FAILED, FailureReason.NOT_ON_CHANNEL, "start"),
        (Channel.SMS, Status.ACCEPTED, None, "fallback"),
    ]


@pytest.mark.django_db
def test_an_unknown_challenge_is_not_found() -> None:
    with pytest.raises(ChallengeNotFound):
        services.describe(challenge_id=new_id())


def test_polling_costs_one_query(
    start: Start, django_assert_num_queries: DjangoAssertNumQueries, bells: Bells, providers: Providers
) -> None:
    """Besides the configuration's version, which Redis tells where there is one."""
    challenge_id = start()
    bells.answer()
    projects.get()

    from projects.kv import redis_client

    with django_assert_num_queries(1 if redis_client() else 2):
        services.describe(challenge_id=challenge_id)


def test_status_words_are_the_public_ones() -> None:
    assert {status.word for status in Status} == {
        "queued",
        "accepted",
        "sent",
        "delivered",
        "read",
        "failed",
        "expired",
    }
