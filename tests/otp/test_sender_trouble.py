"""A sender in trouble: skipped for new logins, probed; nothing is lost meanwhile."""

import pytest

from channels import alerts, health
from channels.breaker import Source, State
from channels.errors import SendError
from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Receipt, Status
from otp import services
from otp.types import Cause
from projects.config import projects
from projects.models import LoginMethods, Project
from tests import factories
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.senders_at_work import log_in, sender, sms_only, state

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
DOWN = SendError(FailureReason.UNAVAILABLE)
TOKEN = SendError(FailureReason.MISCONFIGURED, provider_code="190")
TOO_FAST = SendError(FailureReason.RATE_LIMITED, provider_code="130429")


def test_after_failures_in_a_row_new_logins_begin_with_sms(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, TOKEN)

    used = [log_in(start, queued, nth) for nth in range(7)]

    assert used == [[WHATSAPP, SMS]] * 5 + [[SMS]] * 2
    assert providers.channels == [SMS] * 7


def test_what_was_planned_before_it_opened_does_not_wait_for_the_provider(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Decision 7: a sender whose breaker is open hands over at once."""
    calls: list[object] = []
    challenge_id = start()
    for _ in range(5):
        health.failed(sender(WHATSAPP).id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)
    providers.script[WHATSAPP] = calls.append
    queued.run()

    first, second = factories.deliveries(challenge_id)
    assert calls == []
    assert (first.status, first.reason) == (Status.FAILED, FailureReason.SKIPPED)
    assert (second.channel, second.cause, second.status) == (SMS, Cause.FALLBACK, Status.ACCEPTED)


def test_a_probe_closes_the_breaker_of_a_sender_that_works_again(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(5):
        log_in(start, queued, nth)
    providers.script.clear()

    with later(11):
        assert log_in(start, queued, 10) == [WHATSAPP]
        assert log_in(start, queued, 11) == [WHATSAPP]
    assert state() is State.CLOSED


def test_a_failed_probe_delays_one_login_only(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(5):
        log_in(start, queued, nth)

    with later(11):
        used = [log_in(start, queued, 10 + nth) for nth in range(3)]

    assert used == [[WHATSAPP, SMS], [SMS], [SMS]]


def test_a_provider_that_hangs_counts_as_one_that_is_down(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Every lost answer holds a worker for 5 s."""
    providers.script[WHATSAPP] = lambda _message: Receipt(certain=False)

    used = [log_in(start, queued, nth) for nth in range(7)]

    assert used == [[WHATSAPP]] * 5 + [[SMS]] * 2


def test_a_bad_number_does_not_count_against_the_sender(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.NOT_ON_CHANNEL))

    used = [log_in(start, queued, nth) for nth in range(8)]

    assert used == [[WHATSAPP, SMS]] * 8
    assert not SenderHealth.objects.exists()


def test_a_bad_number_in_between_shows_that_the_sender_works(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    for nth in range(8):
        bad_number = SendError(FailureReason.NOT_ON_CHANNEL)
        providers.fail(WHATSAPP, bad_number if nth % 3 == 2 else TOKEN)
        log_in(start, queued, nth)

    assert state() is State.CLOSED


@pytest.mark.parametrize("fields", [{"verify_phone_by": "whatsapp_only"}, {"fallback_enabled": False}])
def test_without_another_channel_it_is_tried_all_the_same(
    fields: dict[str, object], start: Start, queued: QueuedTasks, providers: Providers
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
    queued.run()

    assert factories.channels_of(challenge_id) == [WHATSAPP]
    assert providers.channels == [WHATSAPP]


def test_a_channel_that_was_asked_for_is_tried(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    for _ in range(5):
        health.failed(sender(WHATSAPP).id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)

    challenge_id = start(channel=WHATSAPP)
    queued.run()

    assert factories.channels_of(challenge_id) == [WHATSAPP]
    assert providers.channels == [WHATSAPP]


# Reports ----------------------------------------------------------------------------------------------


def report_payment(nth: int, start: Start, queued: QueuedTasks) -> None:
    challenge_id = start(f"+852512342{nth:02}", address=f"198.51.101.{nth}")
    queued.run()
    item = factories.deliveries(challenge_id)[0]
    services.record_status_updates([factories.report(item, Status.FAILED, reason=FailureReason.PAYMENT)])
    queued.run()


def test_faults_that_only_reports_tell_open_it_too(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Meta takes messages of an account that cannot pay and fails them later."""
    for nth in range(5):
        report_payment(nth, start, queued)

    assert state() is State.OPEN
    assert log_in(start, queued, 40) == [SMS]
    assert SenderHealth.objects.get().alert


def test_a_good_report_closes_what_reports_opened(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    for nth in range(5):
        report_payment(nth, start, queued)
    with later(11):
        challenge_id = start(factories.OTHER_PHONE)
        queued.run()
        assert state() is State.OPEN  # the call was accepted: that proves nothing
        services.record_status_updates([factories.report(factories.deliveries(challenge_id)[0], Status.SENT)])

        assert state() is State.CLOSED


def test_a_sender_that_was_mended_is_told_to_work_by_the_next_login(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """Saving forgets the alert without a word; the first message that goes out says the rest."""
    factories.make_endpoint(projects.get().by_id[Project.objects.get().id])
    providers.fail(WHATSAPP, TOKEN)
    for nth in range(6):
        log_in(start, queued, nth)
    mended = sender(WHATSAPP)
    mended.secrets["access_token"] = "a-new-one"
    mended.save()
    providers.script.clear()

    assert [log_in(start, queued, nth) for nth in (7, 8)] == [[WHATSAPP], [WHATSAPP]]

    news = [kind for kind, _ in factories.told() if kind.startswith("sender.")]
    assert news == ["sender.alert", "sender.alert_over"]
    assert not SenderHealth.objects.exists()


# Codes that nobody explains (P5) ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        SendError(FailureReason.UNKNOWN, provider_code="31999"),
        SendError(FailureReason.UNKNOWN, provider_code="http-422"),
        SendError(FailureReason.BAD_REQUEST, provider_code="100"),
    ],
)
def test_unknown_error_codes_count_against_a_sender_without_successes(
    error: SendError, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """P5: ten in a row; the breaker opens and the alert names the code."""
    factories.make_endpoint(projects.get().by_id[Project.objects.get().id])
    providers.fail(WHATSAPP, error)

    used = [log_in(start, queued, nth) for nth in range(12)]

    assert used == [[WHATSAPP, SMS]] * 10 + [[SMS]] * 2
    (alert,) = alerts.current()
    assert (alert.provider_code, alert.skipped) == (error.provider_code, True)
    assert "refuses one message after the other" in str(alert.problem)
    (told,) = [data for kind, data in factories.told() if kind == "sender.alert"]
    assert (told["reason"], told["provider_code"]) == (error.reason, error.provider_code)


def test_one_success_among_unknown_error_codes_clears_the_sender(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """P5: the same set-up, and the provider takes one message in ten."""
    for nth in range(24):
        providers.fail(WHATSAPP, SendError(FailureReason.UNKNOWN, provider_code="31999"))
        if nth % 10 == 9:
            providers.script.clear()
        log_in(start, queued, nth)

    assert state() is State.CLOSED
    assert alerts.current() == []


def test_reports_with_unknown_error_codes_alert_too(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """P5: Twilio says `sent` of each message, and then `undelivered` with a code that is newer than our table."""
    fields = sms_only(start)
    for nth in range(25):
        challenge_id = start(f"+852512342{nth:02}", address=f"198.51.101.{nth}", **fields)
        queued.run()
        (item,) = factories.deliveries(challenge_id)
        services.record_status_updates([factories.report(item, Status.SENT)])
        failed = factories.report(item, Status.FAILED, reason=FailureReason.UNKNOWN)
        services.record_status_updates([failed._replace(provider_code="31999")])
        if SenderHealth.objects.filter(alert=True).exists():
            break

    (alert,) = alerts.current()
    assert (alert.channel, alert.provider_code) == (SMS, "31999")
