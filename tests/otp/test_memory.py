"""What is known of a number: WhatsApp did not know it, so its next code goes by SMS at once."""

import pytest
from django.db import connection

from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from otp import policy, services, watch
from otp.errors import WrongCode
from otp.models import Cause, Delivery, PhoneRecord
from projects.config import projects
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
DAY = 24 * 3600


@pytest.fixture
def unknown(start: Start, bells: Bells, providers: Providers) -> None:
    """WhatsApp has answered that it does not know the number."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    start()
    bells.answer()
    providers.script.clear()
    providers.sent.clear()


@pytest.fixture
def reported_unknown(start: Start, bells: Bells, providers: Providers) -> None:
    """The same, told by a report."""
    item = factories.deliveries(start())[0]
    bells.answer()
    services.record_status_updates(
        [factories.report(item, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)]
    )
    bells.answer()


@pytest.mark.parametrize("how", ["unknown", "reported_unknown"])
def test_the_next_code_goes_by_sms_first(
    how: str, request: pytest.FixtureRequest, start: Start, bells: Bells, providers: Providers
) -> None:
    request.getfixturevalue(how)
    providers.sent.clear()
    with later(60):
        challenge_id = start()
        bells.answer()

    (item,) = factories.deliveries(challenge_id)
    assert (item.channel, item.cause, item.chosen) == (SMS, Cause.START, False)
    assert item.sender
    assert item.sender.channel == SMS
    assert providers.channels == [SMS]


def test_other_numbers_are_not_touched(unknown: None, start: Start) -> None:
    assert factories.channels_of(start(factories.OTHER_PHONE)) == [WHATSAPP]


def test_it_is_forgotten_after_some_days(unknown: None, start: Start) -> None:
    kept = policy.NOT_ON_WHATSAPP_KEPT.total_seconds()
    with later(kept - 60):
        assert factories.channels_of(start()) == [SMS]
    with later(kept + 60):
        assert factories.channels_of(start(address="198.51.100.9")) == [WHATSAPP]


def test_a_silent_sms_is_not_followed_by_a_whatsapp_message_and_none_is_announced(
    unknown: None, start: Start, bells: Bells, providers: Providers
) -> None:
    with later(60):
        challenge_id = start()
        bells.answer()
        assert services.describe(challenge_id=challenge_id).fallback_at is None
    with later(60 + policy.SMS_WINDOW.total_seconds() + 1):
        watch.watch_deliveries()
        bells.answer()

    (item,) = factories.deliveries(challenge_id)
    assert (item.status, item.reason, item.due_at) == (Status.EXPIRED, FailureReason.NO_NEWS, None)
    assert providers.channels == [SMS]


def test_whatsapp_takes_over_when_the_sms_fails(
    unknown: None, start: Start, bells: Bells, providers: Providers
) -> None:
    with later(60):
        providers.fail(SMS, SendError(FailureReason.UNREACHABLE))
        challenge_id = start()
        bells.answer()

    assert factories.channels_of(challenge_id) == [SMS, WHATSAPP]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_a_message_that_arrives_on_whatsapp_forgets_it(
    status: Status, unknown: None, start: Start, bells: Bells
) -> None:
    with later(60):
        challenge_id = start(channel=WHATSAPP)
        bells.answer()
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], status)])
    with later(120):
        assert factories.channels_of(start()) == [WHATSAPP]


@pytest.mark.parametrize("status", [Status.SENT, Status.FAILED])
def test_less_than_that_does_not(status: Status, unknown: None, start: Start, bells: Bells) -> None:
    with later(60):
        challenge_id = start(channel=WHATSAPP)
        bells.answer()
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], status)])
    with later(120):
        assert factories.channels_of(start()) == [SMS]


def test_an_sms_that_arrives_says_nothing_of_whatsapp(unknown: None, start: Start, bells: Bells) -> None:
    with later(60):
        challenge_id = start()
        bells.answer()
        services.record_status_updates(
            [factories.report(factories.deliveries(challenge_id)[0], Status.DELIVERED)]
        )
    with later(120):
        assert factories.channels_of(start()) == [SMS]


def test_an_sms_that_cannot_be_had_is_not_remembered(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """A landline: that is about SMS."""
    providers.fail(SMS, SendError(FailureReason.NOT_ON_CHANNEL))
    start(channel=SMS)
    bells.answer()

    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()


@pytest.mark.parametrize("reason", [FailureReason.UNREACHABLE, FailureReason.UNAVAILABLE])
def test_other_failures_are_not_remembered(
    reason: FailureReason, start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(reason))
    start()
    bells.answer()

    assert not PhoneRecord.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}], ids=["only", "off"]
)
def test_a_project_that_does_not_fall_back_keeps_its_channel(
    fields: dict[str, object], unknown: None, start: Start
) -> None:
    row = LoginMethods.objects.get()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()

    with later(60):
        used = factories.channels_of(start(project=projects.get().by_id[row.project_id]))
    assert used == [WHATSAPP]


def test_wrong_guesses_of_the_number_are_kept_beside_it(unknown: None, start: Start) -> None:
    with later(60):
        challenge_id = start()
        for nth in range(2):
            with pytest.raises(WrongCode):
                services.verify_challenge(
                    challenge_id=challenge_id,
                    code=factories.wrong_code(challenge_id, nth),
                    address=factories.ADDRESS,
                )
    record = PhoneRecord.objects.get()
    assert (record.wrong_guesses, record.not_on_whatsapp_at is not None) == (2, True)


def test_a_batch_remembers_and_forgets_many(start: Start, bells: Bells) -> None:
    """One statement whatever its size (PostgreSQL), and several reports about one number are one memory."""
    batch = []
    for nth in range(20):
        item = factories.deliveries(start(f"+852512341{nth % 15:02}", address=f"198.51.100.{nth}"))[0]
        batch.append(factories.report(item, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL))
        if nth == 14:
            bells.answer()
            break
    with connection.cursor():
        services.record_status_updates(batch * 2)

    assert PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).count() == 15
    delivered = [
        factories.report(item, Status.DELIVERED) for item in Delivery.objects.filter(channel=WHATSAPP)
    ]
    services.record_status_updates(delivered)
    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()
