"""A sender that its provider finds too fast: slowed down, and nothing is lost meanwhile."""

from datetime import timedelta

from django.utils import timezone

from channels.errors import SendError
from channels.models import SenderHealth
from channels.types import Channel, FailureReason, Status
from otp import policy, sweep
from otp.models import Delivery
from tests.clock import later
from tests.otp.conftest import Providers, QueuedTasks, Start
from tests.otp.senders_at_work import log_in, sender, sms_only

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
TOO_FAST = SendError(FailureReason.RATE_LIMITED, provider_code="130429")


def test_too_fast_loses_no_message(start: Start, queued: QueuedTasks, providers: Providers) -> None:
    """Twilio 20429 for a while, and nowhere else to go: every message goes out in the end, once."""
    fields = sms_only(start)
    providers.fail(SMS, TOO_FAST)
    for nth in range(10):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}", **fields)
    queued.run()
    for second in range(1, 20):
        with later(second):
            sweep.watch_deliveries()
    assert providers.sent == []

    providers.script.clear()
    for second in range(20, 140, 2):
        with later(second):
            sweep.watch_deliveries()

    assert providers.channels == [SMS] * 10
    assert not Delivery.objects.filter(status__in=(Status.QUEUED, Status.SENDING, Status.FAILED)).exists()
    assert len({message.phone for _, message in providers.sent}) == 10


def test_a_slowed_sender_is_called_at_its_pace(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    fields = sms_only(start)
    now = timezone.now()
    SenderHealth.objects.create(
        sender=sender(SMS),
        throttle=timedelta(seconds=5),
        throttled_at=now,
        next_at=now + timedelta(seconds=5),
    )
    for nth in range(6):
        start(f"+852512341{nth:02}", address=f"198.51.100.{nth}", **fields)
    queued.run()

    assert providers.sent == []
    waiting = list(Delivery.objects.values_list("status", "tries"))
    assert waiting == [(Status.QUEUED, 0)] * 6


def test_a_user_with_another_channel_does_not_wait_long(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    now = timezone.now()
    SenderHealth.objects.create(
        sender=sender(WHATSAPP),
        throttle=timedelta(seconds=2),
        throttled_at=now,
        next_at=now + timedelta(seconds=8),
    )

    assert log_in(start, queued, 1) == [WHATSAPP, SMS]
    assert providers.channels == [SMS]


def test_too_many_messages_to_one_person_do_not_throttle_the_sender(
    start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    """131056 is about a pair of numbers."""
    providers.fail(WHATSAPP, SendError(FailureReason.PAIR_LIMITED, provider_code="131056"))

    assert log_in(start, queued, 1) == [WHATSAPP, SMS]
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
