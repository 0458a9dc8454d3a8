"""`delivery.failed` and `fallback.sent`: once each, whoever noticed it first, with what they tell of or not at all."""

import pytest
from django.conf import LazySettings
from django.utils import timezone

from channels.errors import SendError
from channels.types import Channel, FailureReason, Status
from events import store as event_store
from events.models import Endpoint, Event
from otp import policy, send, services
from otp.models import Challenge, Delivery, Purpose
from otp.store import claim as store
from otp.store import due as sweeping
from projects.config import ProjectConfig
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.event_steps import failures, fallbacks, first, report, sweep

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
UNKNOWN_THERE = SendError(FailureReason.NOT_ON_CHANNEL, provider_code="131026")


@pytest.fixture(autouse=True)
def endpoint(project: ProjectConfig) -> Endpoint:
    return factories.make_endpoint(project)


def test_a_refused_message_and_what_follows_it_are_told(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    challenge_id = start()
    queued.run()

    failed, added = factories.deliveries(challenge_id)
    assert factories.told() == [
        (
            "delivery.failed",
            {
                "challenge_id": str(challenge_id),
                "delivery_id": str(failed.id),
                "channel": "whatsapp",
                "reason": "not_on_channel",
                "provider_code": "131026",
                "phone_masked": "+852 •••• ••67",
                "test": False,
                "at": failed.status_at.isoformat(),
            },
        ),
        (
            "fallback.sent",
            {
                "challenge_id": str(challenge_id),
                "delivery_id": str(added.id),
                "from_channel": "whatsapp",
                "to_channel": "sms",
                "reason": "not_on_channel",
                "phone_masked": "+852 •••• ••67",
                "test": False,
                "at": added.created_at.isoformat(),
            },
        ),
    ]


def test_neither_number_nor_code_is_in_them(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """A9, G1."""
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    challenge_id = start()
    queued.run()

    said = "".join(Event.objects.values_list("body", flat=True))
    assert factories.PHONE[4:] not in said
    assert factories.code_of(challenge_id) not in said


def test_silence_is_no_failure_but_what_follows_it_is_told(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """The message may still arrive. A failure that is reported late is one."""
    challenge_id = start()
    queued.run()
    sweep(queued, 21)

    assert failures() == []
    (data,) = fallbacks()
    assert (data["from_channel"], data["to_channel"], data["reason"]) == ("whatsapp", "sms", "no_news")

    report(first(challenge_id), Status.FAILED)
    assert len(failures()) == 1
    assert len(fallbacks()) == 1


def test_a_retry_is_no_failure(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    providers.fail(WHATSAPP, SendError(FailureReason.UNAVAILABLE))
    challenge_id = start()
    queued.run()
    assert first(challenge_id).status == Status.QUEUED
    assert factories.told() == []

    sweep(queued, 1)

    assert [data["reason"] for data in failures()] == ["unavailable"]
    assert len(fallbacks()) == 1


def test_a_delivery_that_killed_two_workers_is_told_once(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start()
    queued.send.clear()
    for _ in range(policy.MAX_CRASHES):
        assert store.claim(
            delivery_id=first(challenge_id).id, now=timezone.now(), lease=-policy.ENQUEUE_GRACE
        )
        Delivery.objects.update(due_at=timezone.now())
        sweeping.take_due(now=timezone.now(), batch=10)
    sweep(queued, 10)

    assert [data["reason"] for data in failures()] == ["crashed"]
    assert len(fallbacks()) == 1


def test_a_worker_that_dies_between_the_refusal_and_its_record_loses_nothing(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ends, the next one asks again and tells it."""
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    challenge_id = start()

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(event_store, "insert", die)
        with pytest.raises(Killed):
            queued.run()
    assert (first(challenge_id).status, factories.told()) == (Status.SENDING, [])

    sweep(queued, 9)

    assert [data["delivery_id"] for data in failures()] == [str(first(challenge_id).id)]
    assert len(fallbacks()) == 1


def test_a_fallback_whose_event_is_not_written_is_made_later(
    start: Start, queued: QueuedTasks, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge_id = start()
    queued.run()
    report(first(challenge_id), Status.FAILED)
    with monkeypatch.context() as patch:
        patch.setattr(event_store, "insert", lambda *_, **__: 1 // 0)
        sweep(queued, 1)
    assert factories.channels_of(challenge_id) == [WHATSAPP]

    sweep(queued, 5)

    assert providers.channels == [WHATSAPP, SMS]
    assert len(fallbacks()) == 1


def test_at_the_ceiling_it_is_a_failure_and_no_fallback(
    start: Start, queued: QueuedTasks, providers: Providers, settings: LazySettings
) -> None:
    """C4: nothing was sent."""
    settings.AUTHSVC_LIMITS = {"send.number.hour": "1/1h"}
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    start()
    queued.run()

    assert [(data["channel"], data["reason"]) for data in failures()] == [
        ("whatsapp", "not_on_channel"),
        ("sms", "limit"),
    ]
    assert fallbacks() == []


def test_the_users_own_choice_is_no_fallback(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """D14."""
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    challenge_id = start(channel=WHATSAPP)
    queued.run()
    services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=SMS)
    queued.send.append(factories.deliveries(challenge_id)[1].id)
    queued.run()

    assert providers.channels == [SMS]
    assert (len(failures()), fallbacks()) == (1, [])


def test_a_fallback_that_fails_is_told_as_a_failure_and_goes_nowhere(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    providers.fail(SMS, SendError(FailureReason.INVALID_NUMBER))
    start()
    queued.run()
    sweep(queued, 30)

    assert [data["channel"] for data in failures()] == ["whatsapp", "sms"]
    assert len(fallbacks()) == 1


def test_of_an_operators_test_message_nothing_is_told(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    challenge_id = start(purpose=Purpose.TEST_MESSAGE)
    queued.run()
    report(first(challenge_id), Status.FAILED)
    queued.fall_back.append(first(challenge_id).id)
    queued.run()
    providers.fail(WHATSAPP, UNKNOWN_THERE)
    start(factories.OTHER_PHONE, purpose=Purpose.TEST_MESSAGE)
    queued.run()

    assert providers.channels == [WHATSAPP, SMS, SMS]
    assert factories.told() == []


def test_a_skipped_sender_gives_an_event(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    planned = start(factories.OTHER_PHONE)
    queued.send.clear()
    providers.fail(WHATSAPP, SendError(FailureReason.MISCONFIGURED, provider_code="190"))
    for nth in range(5):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}")
        queued.run()
    send.send_delivery(delivery_id=first(planned).id)

    assert failures()[-1] | {"at": ""} == {
        "challenge_id": str(planned),
        "delivery_id": str(first(planned).id),
        "channel": "whatsapp",
        "reason": "skipped",
        "provider_code": "",
        "phone_masked": "+44 •••• •••• 56",
        "test": False,
        "at": "",
    }
    assert Challenge.objects.count() == len(failures()) == len(fallbacks()) == 6
