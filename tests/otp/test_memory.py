"""What is known of a number: WhatsApp did not know it, so it is not asked for its next codes; the SMS goes at once."""

import pytest
from django.conf import LazySettings
from django.db import connection

from abuse import limiter, rules
from abuse.errors import RateLimited
from abuse.limiter import Charge
from channels.errors import SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp import policy, services, sweep
from otp.errors import WrongCode
from otp.models import Delivery, PhoneRecord
from otp.types import Cause
from projects.config import projects
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start, verify

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
DAY = 24 * 3600


@pytest.fixture
def unknown(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """WhatsApp has answered that it does not know the number."""
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))
    start()
    queued.run()
    providers.script.clear()
    providers.sent.clear()


@pytest.fixture
def reported_unknown(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """The same, told by a report."""
    item = factories.deliveries(start())[0]
    queued.run()
    services.record_status_updates(
        [factories.report(item, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)]
    )
    queued.run()


def used(start: Start, queued: QueuedTasks, providers: Providers, **fields: object) -> list[Channel]:
    """The channels whose providers are asked for one more login."""
    providers.sent.clear()
    start(**fields)
    queued.run()
    return providers.channels


@pytest.mark.parametrize("first_failed", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_number_that_one_report_of_a_batch_reached_is_not_unknown(
    first_failed: bool, known: bool, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Two logins of it are under way, and Meta tells of both at once."""
    failed = factories.deliveries(start())[0]
    with later(31):
        arrived = factories.deliveries(start())[0]
        queued.run()
    if known:
        challenge = failed.challenge
        PhoneRecord.objects.create(
            project_id=challenge.project_id,
            phone=challenge.phone,
            not_on_whatsapp_at=challenge.created_at,
            updated_at=challenge.created_at,
        )
    reports = [
        factories.report(failed, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
        factories.report(arrived, Status.DELIVERED),
    ]

    services.record_status_updates(reports if first_failed else reports[::-1])

    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()


@pytest.mark.parametrize("how", ["unknown", "reported_unknown"])
def test_the_next_code_goes_by_sms_without_asking_whatsapp(
    how: str, request: pytest.FixtureRequest, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """S5: found out where it is sent, in the same step, not where it is asked for."""
    request.getfixturevalue(how)
    providers.sent.clear()
    with later(60):
        challenge_id = start()
        assert factories.channels_of(challenge_id) == [WHATSAPP]
        queued.run()

    first, second = factories.deliveries(challenge_id)
    assert (first.channel, first.status, first.reason) == (
        WHATSAPP,
        Status.FAILED,
        FailureReason.NOT_ON_CHANNEL,
    )
    assert (second.channel, second.cause, second.chosen) == (SMS, Cause.FALLBACK, False)
    assert providers.channels == [SMS]


def test_what_was_not_sent_is_not_charged_twice(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """One message went, and one is counted."""
    with later(4000):
        settings.AUTHSVC_LIMITS = {"send.number.hour": "2/1h"}
        assert used(start, queued, providers) == [SMS]
        with pytest.raises(RateLimited):
            limiter.charge([Charge(rule=rules.rules()["send.number.hour"], subject=_number(), need=2)])
        limiter.charge([Charge(rule=rules.rules()["send.number.hour"], subject=_number())])


def _number() -> str:
    return rules.number_key(factories.PHONE)


def test_other_numbers_are_not_touched(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    assert used(start, queued, providers, number=factories.OTHER_PHONE) == [WHATSAPP]


def test_it_is_forgotten_after_some_days(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """And not renewed by codes for which WhatsApp was not asked."""
    kept = policy.NOT_ON_WHATSAPP_KEPT.total_seconds()
    with later(kept - 60):
        assert used(start, queued, providers) == [SMS]
    with later(kept + 60):
        assert used(start, queued, providers, address="198.51.100.9") == [WHATSAPP]


def test_a_silent_sms_is_not_followed_by_a_whatsapp_message_and_none_is_announced(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with later(60):
        challenge_id = start()
        queued.run()
        assert services.describe(challenge_id=challenge_id).fallback_at is None
    with later(60 + policy.SMS_WINDOW.total_seconds() + 1):
        sweep.watch_deliveries()
        queued.run()

    _, item = factories.deliveries(challenge_id)
    assert (item.status, item.reason, item.due_at) == (Status.EXPIRED, FailureReason.NO_REPORT, None)
    assert providers.channels == [SMS]


def test_whatsapp_is_asked_when_there_is_no_sms(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    Sender.objects.get(channel="sms").delete()

    with later(60):
        assert used(start, queued, providers) == [WHATSAPP]


def test_whatsapp_is_asked_when_the_user_chose_it(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with later(60):
        assert used(start, queued, providers, channel=WHATSAPP) == [WHATSAPP]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_a_message_that_arrives_on_whatsapp_forgets_it(
    status: Status, unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with later(60):
        challenge_id = start(channel=WHATSAPP)
        queued.run()
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], status)])
    with later(120):
        assert used(start, queued, providers) == [WHATSAPP]


@pytest.mark.parametrize("status", [Status.SENT, Status.FAILED])
def test_less_than_that_does_not(
    status: Status, unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with later(60):
        challenge_id = start(channel=WHATSAPP)
        queued.run()
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], status)])
    with later(120):
        assert used(start, queued, providers) == [SMS]


def test_an_sms_that_arrives_says_nothing_of_whatsapp(
    unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with later(60):
        challenge_id = start()
        queued.run()
        services.record_status_updates(
            [factories.report(factories.deliveries(challenge_id)[1], Status.DELIVERED)]
        )
    with later(120):
        assert used(start, queued, providers) == [SMS]


def test_an_sms_that_cannot_be_had_is_not_remembered(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """A landline: that is about SMS."""
    providers.fail(SMS, SendError(FailureReason.NOT_ON_CHANNEL))
    start(channel=SMS)
    queued.run()

    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()


@pytest.mark.parametrize("reason", [FailureReason.UNREACHABLE, FailureReason.UNAVAILABLE])
def test_other_failures_are_not_remembered(
    reason: FailureReason, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(reason))
    start()
    queued.run()

    assert not PhoneRecord.objects.exists()


@pytest.mark.parametrize(
    "fields", [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}], ids=["only", "off"]
)
def test_a_project_that_does_not_fall_back_keeps_its_channel(
    fields: dict[str, object], unknown: None, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    row = LoginMethods.objects.get()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()

    with later(60):
        project = projects.get().by_id[row.project_id]
        assert used(start, queued, providers, project=project) == [WHATSAPP]


def test_wrong_guesses_of_the_number_are_kept_beside_it(unknown: None, start: Start) -> None:
    with later(60):
        challenge_id = start()
        for nth in range(2):
            with pytest.raises(WrongCode):
                verify(challenge_id, factories.wrong_code(challenge_id, nth))
    record = PhoneRecord.objects.get()
    assert (record.wrong_guesses, record.not_on_whatsapp_at is not None) == (2, True)


def test_a_batch_remembers_and_forgets_many(start: Start, queued: QueuedTasks) -> None:
    """One statement whatever its size (PostgreSQL), and several reports about one number are one memory."""
    batch = []
    for nth in range(20):
        item = factories.deliveries(start(f"+852512341{nth % 15:02}", address=f"198.51.100.{nth}"))[0]
        batch.append(factories.report(item, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL))
        if nth == 14:
            queued.run()
            break
    with connection.cursor():
        services.record_status_updates(batch * 2)

    assert PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).count() == 15
    delivered = [
        factories.report(item, Status.DELIVERED) for item in Delivery.objects.filter(channel=WHATSAPP)
    ]
    services.record_status_updates(delivered)
    assert not PhoneRecord.objects.filter(not_on_whatsapp_at__isnull=False).exists()
