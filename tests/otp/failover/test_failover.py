"""Within one login, a sender that fails for everybody is followed by the channel's next one, then by the next channel."""

import pytest

from channels import health
from channels.breaker import Source
from channels.errors import MEANINGS, SendError
from channels.models import Sender
from channels.types import Channel, FailureReason, Status
from otp import policy, services, sweep
from otp.types import Cause
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.otp.conftest import QueuedTasks, Start, verify
from tests.otp.failover.support import TOKEN, Lines, path_of

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


def fail(lines: Lines, **errors: SendError) -> None:
    lines.errors |= errors


# Decision ---------------------------------------------------------------------------------------------


def test_what_any_recipient_would_meet_is_the_senders() -> None:
    may = {reason for reason in FailureReason if policy.may_fail_over(reason=reason, causes=[Cause.START])}

    assert may == {
        FailureReason.UNAVAILABLE, FailureReason.HELD, FailureReason.MISCONFIGURED, FailureReason.PAYMENT,
        FailureReason.ACCOUNT_BLOCKED, FailureReason.TEMPLATE_MISSING, FailureReason.TEMPLATE_PAUSED,
        FailureReason.TEMPLATE_UNFIT, FailureReason.SKIPPED, FailureReason.RATE_LIMITED,
    }  # fmt: skip
    assert may >= {reason for reason, meaning in MEANINGS.items() if meaning.sender or meaning.template}


@pytest.mark.parametrize("cause", [*Cause])
def test_a_channel_is_failed_over_once(cause: Cause) -> None:
    may = policy.may_fail_over(reason=FailureReason.MISCONFIGURED, causes=[Cause.START, cause])

    assert may is (cause is not Cause.FAILOVER)


def test_silence_and_no_reason_are_nobodys_fault() -> None:
    assert not policy.may_fail_over(reason=None, causes=[])
    assert not policy.may_fail_over(reason=FailureReason.NO_REPORT, causes=[])


# Calls that fail --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason", [FailureReason.MISCONFIGURED, FailureReason.PAYMENT, FailureReason.TEMPLATE_PAUSED]
)
def test_the_next_sender_takes_over_before_the_next_channel(
    reason: FailureReason,
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=SendError(reason))

    challenge_id = start()
    queued.run()

    assert lines.calls == ["one", "two"]
    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]
    first, second = factories.deliveries(challenge_id)
    assert (first.status, first.reason) == (Status.FAILED, reason)
    assert (second.status, second.number, second.channel) == (Status.ACCEPTED, 2, WHATSAPP)
    verify(challenge_id)  # the same code


def test_what_is_about_the_recipient_goes_to_the_next_channel(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=SendError(FailureReason.NOT_ON_CHANNEL))

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("sms", "fallback")]


def test_when_both_fail_the_next_channel_takes_over(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=TOKEN, two=TOKEN)
    factories.make_sender("whatsapp", name="three", priority=3)

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover"), ("sms", "fallback")]
    assert lines.calls == ["one", "two", "sms"]  # one more call at most


def test_a_provider_that_is_down_is_asked_twice_and_then_the_next_one(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=SendError(FailureReason.UNAVAILABLE))

    challenge_id = start()
    queued.run()
    with later(2):
        sweep.watch_deliveries()

    assert lines.calls == ["one", "one", "two"]
    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]


@pytest.mark.parametrize("mode", ["whatsapp_only", "no fallback"])
def test_a_project_without_a_second_channel_has_the_second_sender(
    mode: str,
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    row = LoginMethods.objects.get()
    row.verify_phone_by = "whatsapp_only" if mode == "whatsapp_only" else row.verify_phone_by
    row.fallback_enabled = mode == "whatsapp_only"
    row.save()
    fail(lines, one=TOKEN)

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]


def test_a_chosen_channel_keeps_to_its_senders(start: Start, queued: QueuedTasks, lines: Lines) -> None:
    fail(lines, one=TOKEN, two=TOKEN)

    challenge_id = start(channel=WHATSAPP)
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]
    assert [item.chosen for item in factories.deliveries(challenge_id)] == [True, True]


def test_a_fallback_over_a_sender_that_fails_has_a_second_one_too(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    factories.make_sender("sms", name="sms-2", priority=2)
    fail(lines, one=SendError(FailureReason.NOT_ON_CHANNEL), sms=TOKEN)

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("one", "start"), ("sms", "fallback"), ("sms-2", "failover")]


def test_a_resend_goes_through_another_sender_than_the_one_that_failed(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=SendError(FailureReason.NOT_ON_CHANNEL))
    LoginMethods.objects.update(fallback_enabled=False)
    challenge_id = start(channel=WHATSAPP)
    queued.run()

    with later(40):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS)

    assert path_of(challenge_id) == [("one", "start"), ("two", "resend")]


# New logins -------------------------------------------------------------------------------------------


def open_breaker(sender: Sender) -> None:
    for _ in range(5):
        health.failed(sender.id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)


def test_new_logins_begin_with_the_first_sender_that_works(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    senders: dict[str, Sender],
) -> None:
    open_breaker(senders["one"])

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("two", "start")]


def test_with_all_senders_of_a_channel_failing_the_next_channel_begins(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    senders: dict[str, Sender],
) -> None:
    open_breaker(senders["one"])
    open_breaker(senders["two"])

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("sms", "start")]


def test_five_failures_are_enough_to_begin_with_the_second(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
) -> None:
    fail(lines, one=TOKEN)

    for nth in range(7):
        start(f"+85251{nth:02}4100", address=f"198.51.100.{nth}")
        queued.run()

    assert lines.calls == ["one", "two"] * 5 + ["two"] * 2


def test_what_was_planned_before_the_breaker_opened_is_not_held_up(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    senders: dict[str, Sender],
) -> None:
    challenge_id = start()
    open_breaker(senders["one"])
    queued.run()

    assert lines.calls == ["two"]
    assert path_of(challenge_id) == [("one", "start"), ("two", "failover")]
    assert factories.deliveries(challenge_id)[0].reason == FailureReason.SKIPPED


def test_the_project_s_own_senders_are_not_followed_by_a_shared_one(
    start: Start,
    queued: QueuedTasks,
    lines: Lines,
    project: ProjectConfig,
) -> None:
    factories.make_sender("whatsapp", name="own", project_id=project.id)
    fail(lines, own=TOKEN)

    challenge_id = start()
    queued.run()

    assert path_of(challenge_id) == [("own", "start"), ("sms", "fallback")]
