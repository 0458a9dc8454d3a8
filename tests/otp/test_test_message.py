"""An operator's test message: every status is reported once, and the wait ends as soon as nothing more can follow."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from abuse.errors import RateLimited
from channels.types import Channel, FailureReason, Status
from ops.management.commands import send_test_code
from otp import services, test_message
from otp.types import Cause, ChallengeView, DeliveryView, State
from tests import factories

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
type Deliveries = list[tuple[Channel, Status]]


def view(
    *deliveries: tuple[Channel, Status],
    channels: tuple[Channel, ...] = (WHATSAPP, SMS),
    waits: bool = False,
    ago: float = 60,
) -> ChallengeView:
    """`ago`: seconds since the statuses were reached."""
    at = timezone.now() - timedelta(seconds=ago)
    rows = tuple(
        DeliveryView(channel=channel, status=status, reason=None, cause=Cause.START, at=at)
        for channel, status in deliveries
    )
    return ChallengeView(
        id=uuid.uuid4(), project_id=uuid.uuid4(), phone_masked="+852•••", channel=rows[-1].channel, channels=channels, code_length=6,
        expires_at=NOW, resend_at={}, attempts_left=5, state=State.PENDING, end_reason=None, deliveries=rows,
        fallback_at=NOW if waits else None,
    )  # fmt: skip


def watched(
    monkeypatch: pytest.MonkeyPatch, *views: ChallengeView, seconds: float = 5
) -> tuple[test_message.Result, Deliveries]:
    """What watching these views, one after the other, reports."""
    remaining: Iterator[ChallengeView] = iter(views)
    last = views[-1]
    monkeypatch.setattr(test_message, "_EVERY_SECONDS", 0.001)
    monkeypatch.setattr(services, "describe", lambda **_: next(remaining, last))
    steps: list[test_message.Step] = []
    result = test_message.watch(uuid.uuid4(), seconds=seconds, report=steps.append)
    assert [step.seconds for step in steps] == sorted(step.seconds for step in steps)
    return result, [(step.delivery.channel, step.delivery.status) for step in steps]


def test_each_status_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    queued, sent, delivered = (
        view((WHATSAPP, status)) for status in (Status.QUEUED, Status.SENT, Status.DELIVERED)
    )

    result, steps = watched(monkeypatch, queued, queued, sent, sent, delivered)

    assert steps == [(WHATSAPP, Status.QUEUED), (WHATSAPP, Status.SENT), (WHATSAPP, Status.DELIVERED)]
    assert result == test_message.Result(arrived=WHATSAPP, accepted=False)


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.READ])
def test_a_delivered_message_ends_the_wait(status: Status, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, view((WHATSAPP, status), waits=True))[0].arrived is WHATSAPP


def test_the_fallback_of_a_failed_message_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = (WHATSAPP, Status.FAILED)

    result, steps = watched(
        monkeypatch,
        view(failed, ago=0),
        view(failed, (SMS, Status.QUEUED)),
        view(failed, (SMS, Status.DELIVERED)),
    )

    assert steps == [failed, (SMS, Status.QUEUED), (SMS, Status.DELIVERED)]
    assert result.arrived is SMS


def test_so_is_another_sender_of_the_only_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = (SMS, Status.FAILED)
    result, steps = watched(
        monkeypatch,
        view(failed, channels=(SMS,), ago=0),
        view(failed, (SMS, Status.DELIVERED), channels=(SMS,)),
    )

    assert result.arrived is SMS
    assert steps == [failed, (SMS, Status.DELIVERED)]


def test_two_failed_messages_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = watched(monkeypatch, view((WHATSAPP, Status.FAILED), (SMS, Status.FAILED)))

    assert result == test_message.Result(arrived=None, accepted=False)


def test_a_failed_message_without_another_channel_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched(monkeypatch, view((SMS, Status.FAILED), channels=(SMS,)))[0].arrived is None


@pytest.mark.parametrize(
    ("status", "accepted"), [(Status.ACCEPTED, True), (Status.SENT, True), (Status.QUEUED, False)]
)
def test_after_the_wait_only_the_acceptance_is_known(
    status: Status, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, _ = watched(monkeypatch, view((WHATSAPP, status)), seconds=0.02)

    assert result == test_message.Result(arrived=None, accepted=accepted)


# The command ----------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as leaving:
        call_command("send_test_code", *arguments, stdout=out, stderr=out)
    return int(str(leaving.value.code)), out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("phone", ["12", "51234567", "+85221234567x", "+999123456789", ""])
def test_a_number_that_cannot_be_used_is_not_sent_to(phone: str) -> None:
    factories.make_project()

    code, output = run(phone)

    assert (code, output.startswith("not a usable number: ")) == (send_test_code.NOT_SENT, True)


@pytest.mark.django_db
def test_a_project_must_exist() -> None:
    assert run(factories.PHONE) == (2, "there is no default project: name one with --project\n")
    assert run(factories.PHONE, "--project", "other") == (2, "there is no project other\n")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("result", "code", "line"),
    [
        (test_message.Result(arrived=SMS, accepted=False), 0, "arrived by sms"),
        (test_message.Result(arrived=None, accepted=True), 1, "accepted, but no delivery report came"),
        (test_message.Result(arrived=None, accepted=False), 1, "not delivered"),
    ],
)
def test_the_exit_code_says_whether_it_arrived(
    result: test_message.Result, code: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_project(is_default=True)

    def watch(_id: uuid.UUID, *, seconds: float, report: Any) -> test_message.Result:
        failed = DeliveryView(
            channel=WHATSAPP,
            status=Status.FAILED,
            reason=FailureReason.NOT_ON_CHANNEL,
            cause=Cause.START,
            at=NOW,
        )
        report(test_message.Step(seconds=1.25, delivery=failed))
        return result

    monkeypatch.setattr(test_message, "watch", watch)

    exit_code, output = run(factories.PHONE)

    first, second = output.splitlines()
    assert (exit_code, first.split()) == (code, ["1.2", "s", "whatsapp", "failed", "(not_on_channel)"])
    assert second.startswith(line)


@pytest.mark.django_db
def test_the_challenge_is_cancelled_whatever_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    factories.make_project(is_default=True)
    cancelled: list[uuid.UUID] = []
    monkeypatch.setattr(services, "cancel", lambda *, challenge_id: cancelled.append(challenge_id))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(test_message, "watch", interrupted)

    with pytest.raises(KeyboardInterrupt):
        call_command("send_test_code", factories.PHONE, stdout=StringIO())
    assert len(cancelled) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("wait", "sleeps"), [(30, [30]), (61, [])])
def test_a_short_limit_is_waited_for_once(
    wait: int, sleeps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_project(is_default=True)
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)

    def limited(**_: object) -> uuid.UUID:
        raise RateLimited(wait_seconds=wait)

    monkeypatch.setattr(test_message, "start", limited)

    code, output = run(factories.PHONE)

    assert (code, slept) == (2, sleeps)
    assert output.endswith(f"this number has reached its limits: try again in {wait} s\n")
