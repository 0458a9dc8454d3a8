"""A sender in trouble: skipped for new logins, probed, slowed down; nothing is lost meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from channels import health
from channels.breaker import Source, State
from channels.errors import SendError
from channels.models import Sender, SenderHealth
from channels.types import Channel, FailureReason, Receipt, Status
from otp import policy, services, watch
from otp.models import Cause, Delivery
from projects.config import projects
from projects.models import LoginMethods, Project
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Providers, Start

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
DOWN = SendError(FailureReason.UNAVAILABLE)
TOKEN = SendError(FailureReason.MISCONFIGURED, provider_code="190")
TOO_FAST = SendError(FailureReason.RATE_LIMITED, provider_code="130429")


def log_in(start: Start, bells: Bells, nth: int) -> list[Channel]:
    """One more person: the channels that their challenge used."""
    challenge_id = start(f"+852512341{nth:02}", address=f"198.51.100.{nth}")
    bells.answer()
    return factories.channels_of(challenge_id)


def sender(channel: Channel) -> Sender:
    return Sender.objects.get(channel=channel)


def state() -> State:
    return {channel: state for _, channel, state in health.states()}[WHATSAPP]


def test_after_failures_in_a_row_new_logins_begin_with_sms(
    start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, TOKEN)

    used = [log_in(start, bells, nth) for nth in range(7)]

    assert used == [[WHATSAPP, SMS]] * 5 + [[SMS]] * 2
    assert providers.channels == [SMS] * 7


def test_what_was_planned_before_it_opened_does_not_wait_for_the_provider(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """Decision 7: a sender whose breaker is open hands over at once."""
    calls: list[object] = []
    challenge_id = start()
    for _ in range(5):
        health.failed(sender(WHATSAPP).id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)
    providers.script[WHATSAPP] = calls.append
    bells.answer()

    first, second = factories.deliveries(challenge_id)
    assert calls == []
    assert (first.status, first.reason) == (Status.FAILED, FailureReason.SKIPPED)
    assert (second.channel, second.cause, second.status) == (SMS, Cause.FALLBACK, Status.ACCEPTED)


def test_a_probe_finds_out_that_it_works_again(start: Start, bells: Bells, providers: Providers) -> None:
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(5):
        log_in(start, bells, nth)
    providers.script.clear()

    with later(11):
        assert log_in(start, bells, 10) == [WHATSAPP]
        assert log_in(start, bells, 11) == [WHATSAPP]
    assert state() is State.CLOSED


def test_a_probe_that_fails_costs_one_person_a_moment_and_nobody_else(
    start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(5):
        log_in(start, bells, nth)

    with later(11):
        used = [log_in(start, bells, 10 + nth) for nth in range(3)]

    assert used == [[WHATSAPP, SMS], [SMS], [SMS]]


def test_a_provider_that_hangs_counts_as_one_that_is_down(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """Every lost answer holds a worker for 5 s."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)

    used = [log_in(start, bells, nth) for nth in range(7)]

    assert used == [[WHATSAPP]] * 5 + [[SMS]] * 2


def test_somebody_elses_bad_number_is_not_the_senders_fault(
    start: Start, bells: Bells, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    used = [log_in(start, bells, nth) for nth in range(8)]

    assert used == [[WHATSAPP, SMS]] * 8
    assert not SenderHealth.objects.exists()


def test_a_bad_number_in_between_shows_that_the_sender_works(
    start: Start, bells: Bells, providers: Providers
) -> None:
    for nth in range(8):
        bad_number = SendError(FailureReason.NOT_ON_CHANNEL)
        providers.fail(WHATSAPP, bad_number if nth % 3 == 2 else TOKEN)
        log_in(start, bells, nth)

    assert state() is State.CLOSED


@pytest.mark.parametrize("fields", [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}])
def test_without_another_channel_it_is_tried_all_the_same(
    fields: dict[str, object], start: Start, bells: Bells, providers: Providers
) -> None:
    """`whatsapp_only` never becomes an SMS, and a call is the only hope that is left."""
    row = LoginMethods.objects.get()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    from projects.config import projects

    project = projects.get().by_id[row.project_id]
    for _ in range(5):
        health.failed(sender(WHATSAPP).id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)

    challenge_id = start(project=project)
    bells.answer()

    assert factories.channels_of(challenge_id) == [WHATSAPP]
    assert providers.channels == [WHATSAPP]


def test_a_channel_that_was_asked_for_is_tried(start: Start, bells: Bells, providers: Providers) -> None:
    for _ in range(5):
        health.failed(sender(WHATSAPP).id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)

    challenge_id = start(channel=WHATSAPP)
    bells.answer()

    assert factories.channels_of(challenge_id) == [WHATSAPP]
    assert providers.channels == [WHATSAPP]


# Reports ----------------------------------------------------------------------------------------------


def report_payment(nth: int, start: Start, bells: Bells) -> None:
    challenge_id = start(f"+852512342{nth:02}", address=f"198.51.101.{nth}")
    bells.answer()
    item = factories.deliveries(challenge_id)[0]
    services.record_status_updates([factories.report(item, Status.FAILED, reason=FailureReason.PAYMENT)])
    bells.answer()


def test_faults_that_only_reports_tell_open_it_too(start: Start, bells: Bells, providers: Providers) -> None:
    """Meta takes messages of an account that cannot pay and fails them later."""
    for nth in range(5):
        report_payment(nth, start, bells)

    assert state() is State.OPEN
    assert log_in(start, bells, 40) == [SMS]
    assert SenderHealth.objects.get().alert


def test_a_good_report_closes_what_reports_opened(start: Start, bells: Bells, providers: Providers) -> None:
    for nth in range(5):
        report_payment(nth, start, bells)
    with later(11):
        challenge_id = start(factories.OTHER_PHONE)
        bells.answer()
        assert state() is State.OPEN  # the call was accepted: that proves nothing
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], Status.SENT)])

        assert state() is State.CLOSED


# Too fast ---------------------------------------------------------------------------------------------


def sms_only(start: Start) -> dict[str, object]:
    from projects.config import projects

    row = LoginMethods.objects.get()
    row.verify_phone_by = "sms_only"
    row.save()
    return {"project": projects.get().by_id[row.project_id]}


def test_too_fast_loses_no_message(start: Start, bells: Bells, providers: Providers) -> None:
    """Twilio 20429 for a while, and nowhere else to go: every message goes out in the end, once."""
    fields = sms_only(start)
    providers.fail(SMS, TOO_FAST)
    for nth in range(10):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}", **fields)
    bells.answer()
    for second in range(1, 20):
        with later(second):
            watch.watch_deliveries()
    assert providers.sent == []

    providers.script.clear()
    for second in range(20, 140, 2):
        with later(second):
            watch.watch_deliveries()

    assert providers.channels == [SMS] * 10
    assert not Delivery.objects.filter(status__in=(Status.QUEUED, Status.SENDING, Status.FAILED)).exists()
    assert len({message.phone for _, message in providers.sent}) == 10


def test_a_slowed_sender_is_called_at_its_pace(start: Start, bells: Bells, providers: Providers) -> None:
    fields = sms_only(start)
    now = timezone.now()
    SenderHealth.objects.create(
        sender=sender(SMS), pace=timedelta(seconds=5), paced_at=now, next_at=now + timedelta(seconds=5)
    )
    for nth in range(6):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}", **fields)
    bells.answer()

    assert providers.sent == []
    waiting = list(Delivery.objects.values_list("status", "tries"))
    assert waiting == [(Status.QUEUED, 0)] * 6


def test_somebody_with_another_channel_does_not_wait_long(
    start: Start, bells: Bells, providers: Providers
) -> None:
    now = timezone.now()
    SenderHealth.objects.create(
        sender=sender(WHATSAPP), pace=timedelta(seconds=2), paced_at=now, next_at=now + timedelta(seconds=8)
    )

    assert log_in(start, bells, 1) == [WHATSAPP, SMS]
    assert providers.channels == [SMS]


def test_too_many_messages_to_one_person_slow_nobody_else(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """131056 is about a pair of numbers."""
    providers.fail(WHATSAPP, SendError(FailureReason.PAIR_LIMITED, provider_code="131056"))

    assert log_in(start, bells, 1) == [WHATSAPP, SMS]
    assert not SenderHealth.objects.exists()


def test_a_long_queue_asks_a_bounded_number_of_times() -> None:
    """Each postponement is up to as long as the wait so far: their number grows with its logarithm."""
    now, waited, asked = timezone.now(), timedelta(0), 0
    while waited < timedelta(minutes=10):
        at = policy.postponement(at=now, waited=waited, now=now, share=0.5)
        waited += at - now
        now = at
        asked += 1

    assert asked < 60


def test_a_sender_that_was_mended_is_told_to_work_by_the_next_login(
    start: Start, bells: Bells, providers: Providers
) -> None:
    """Saving forgets the alert without a word; the first message that goes out says the rest."""
    factories.make_endpoint(projects.get().by_id[Project.objects.get().id])
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(6):
        log_in(start, bells, nth)
    mended = sender(WHATSAPP)
    mended.access_token = "a-new-one"
    mended.save()
    providers.script.clear()

    assert [log_in(start, bells, nth) for nth in (7, 8)] == [[WHATSAPP], [WHATSAPP]]

    news = [kind for kind, _ in factories.told() if kind.startswith("sender.")]
    assert news == ["sender.alert", "sender.alert_over"]
    assert not SenderHealth.objects.exists()
