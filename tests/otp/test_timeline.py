"""P7: the story of a login in the order in which it can have happened, whatever clocks the providers have."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import time_machine
from django.test import Client

from channels.types import Channel, FailureReason, Status
from console import timeline
from otp import services
from otp.models import Challenge, Delivery, DeliveryEvent
from tests import factories
from tests.otp.conftest import Providers, QueuedTasks, Start, verify
from users.models import User

pytestmark = pytest.mark.django_db

BEGUN = datetime(2026, 11, 23, 10, 0, 12, 950_000, tzinfo=UTC)
ORDER = ["accepted", "sent", "delivered", "read"]


@pytest.fixture
def delivery(start: Start, queued: QueuedTasks, providers: Providers) -> Delivery:
    """Begun at 12.95 s of a minute and accepted 0.1 s later."""
    with time_machine.travel(BEGUN, tick=False):
        challenge_id = start()
    with time_machine.travel(BEGUN + timedelta(seconds=0.1), tick=False):
        queued.run()
    return factories.deliveries(challenge_id)[0]


def report(delivery: Delivery, word: str, *, at: float, heard: float, nth: int = 1) -> None:
    """`at` by the provider's clock, `heard` by ours, in seconds since the start."""
    status = Status[word.upper()]
    moment = BEGUN + timedelta(seconds=at)
    with time_machine.travel(BEGUN + timedelta(seconds=heard), tick=False):
        services.record_status_updates(
            [
                factories.report(
                    delivery,
                    status,
                    at=moment,
                    message_id=f"id-{delivery.id.hex}-{nth}",
                    reason=FailureReason.UNKNOWN if word == "failed" else None,
                )
            ]
        )


def whole(seconds: float) -> float:
    """As Meta writes a moment: its whole second."""
    moment = BEGUN + timedelta(seconds=seconds)
    return (moment.replace(microsecond=0) - BEGUN).total_seconds()


def words(delivery: Delivery) -> list[str]:
    steps = timeline.steps(Challenge.objects.get(id=delivery.challenge_id))
    return [step.what.split(": ")[-1] for step in steps]


def seconds(delivery: Delivery) -> list[float]:
    return [step.after_seconds for step in timeline.steps(Challenge.objects.get(id=delivery.challenge_id))]


def test_whole_seconds_put_nothing_before_the_start(delivery: Delivery) -> None:
    """It said "delivered −0.05 s", above "Started"."""
    for word, at in (("sent", 0.15), ("delivered", 0.6), ("read", 0.9)):
        report(delivery, word, at=whole(at), heard=at + 0.02)

    assert words(delivery) == ["Started", "WhatsApp message 1", *ORDER]
    assert seconds(delivery)[:3] == [0, 0, pytest.approx(0.1)]
    assert min(seconds(delivery)) == 0
    assert seconds(delivery) == sorted(seconds(delivery))


@pytest.mark.parametrize("heard", list(permutations([0.3, 0.4, 0.5])))
@pytest.mark.parametrize("clock", [-3600.0, -7.3, 0.0, 7.3, 3600.0])
def test_the_order_is_kept_whatever_the_clock_and_the_way(
    clock: float, heard: tuple[float, ...], delivery: Delivery
) -> None:
    """A provider's clock ahead or behind, and reports that overtake each other."""
    truth = dict(zip(("sent", "delivered", "read"), (0.15, 0.2, 0.25), strict=True))
    for word, at in sorted(zip(truth, heard, strict=True), key=lambda item: item[1]):
        report(delivery, word, at=whole(truth[word] + clock), heard=at)

    assert [word for word in words(delivery) if word in ORDER] == ORDER
    assert all(0 <= item <= 0.5 for item in seconds(delivery))


@pytest.mark.parametrize("word", ["delivered", "failed"])
def test_a_report_that_comes_before_the_answer_follows_the_acceptance(
    word: str, start: Start, queued: QueuedTasks, providers: Providers
) -> None:
    with time_machine.travel(BEGUN, tick=False) as clock:

        def report_first(message: object) -> None:
            report(Delivery.objects.get(), word, at=whole(0.05), heard=0.05)
            clock.move_to(BEGUN + timedelta(seconds=0.4), tick=False)

        providers.script[Channel.WHATSAPP] = report_first
        start()
        delivery = Delivery.objects.get()
        clock.shift(0.01)
        from otp import send as sending

        sending.send_delivery(delivery_id=delivery.id)

    story = words(delivery)
    assert story.index("accepted") < story.index(word)
    assert min(seconds(delivery)) == 0


def test_a_failure_follows_what_led_to_it(delivery: Delivery) -> None:
    report(delivery, "failed", at=whole(0.3), heard=0.35)
    report(delivery, "sent", at=whole(0.2), heard=0.4)

    assert [word for word in words(delivery) if word in ("accepted", "sent", "failed")] == [
        "accepted",
        "sent",
        "failed",
    ]


def test_a_report_of_an_sms_never_stands_above_its_message(
    start: Start, queued: QueuedTasks, providers: Providers, delivery: Delivery
) -> None:
    """The second message of a login begins after the first; its reports do, too."""
    with time_machine.travel(BEGUN + timedelta(seconds=30.7), tick=False):
        services.resend(challenge_id=delivery.challenge_id, address=factories.ADDRESS, channel=Channel.SMS)
        sms = factories.deliveries(delivery.challenge_id)[1]
        from otp import send as sending

        sending.send_delivery(delivery_id=sms.id)
    sms.refresh_from_db()
    report(sms, "delivered", at=whole(30.75), heard=31, nth=2)

    story = words(delivery)
    assert story.index("SMS message 1") < len(story) - 2
    assert story[-2:] == ["accepted", "delivered"]


def test_a_code_that_is_typed_before_the_clock_strikes_comes_last(delivery: Delivery) -> None:
    report(delivery, "delivered", at=whole(0.3), heard=0.35)
    with time_machine.travel(BEGUN + timedelta(seconds=5.2), tick=False):
        verify(delivery.challenge_id)

    assert timeline.steps(Challenge.objects.get())[-1].after_seconds == pytest.approx(5.2)
    assert "Verified" in timeline.steps(Challenge.objects.get())[-1].what


def random_events(delivery: Delivery, seed: int) -> Iterable[DeliveryEvent]:
    dice = random.Random(seed)
    for status in (
        Status.ACCEPTED,
        Status.SENT,
        Status.DELIVERED,
        Status.READ,
        Status.FAILED,
        Status.EXPIRED,
    ):
        if dice.random() < 0.8:
            yield DeliveryEvent(
                delivery=delivery,
                status=status,
                provider_message_id="" if status is Status.EXPIRED else "m",
                occurred_at=BEGUN + timedelta(seconds=dice.uniform(-100, 100)),
                recorded_at=BEGUN + timedelta(seconds=dice.uniform(0.2, 100)),
            )


@pytest.mark.parametrize("seed", range(30))
def test_whatever_times_are_written_the_story_holds(seed: int, delivery: Delivery) -> None:
    delivery.events.all().delete()
    DeliveryEvent.objects.bulk_create(random_events(delivery, seed))

    story = [word for word in words(delivery) if word in ORDER]
    assert story == [word for word in ORDER if word in story]
    assert min(seconds(delivery)) >= 0
    assert seconds(delivery) == sorted(seconds(delivery))


def test_what_a_program_is_told_is_no_earlier_than_the_acceptance(delivery: Delivery) -> None:
    """The API's `at` and the events': the same whole seconds."""
    report(delivery, "delivered", at=whole(0.3), heard=0.4)

    (view,) = services.describe(challenge_id=delivery.challenge_id).deliveries
    assert view.at == BEGUN + timedelta(seconds=0.1)


def test_the_page_of_the_delivery_log_says_so(delivery: Delivery, client: Client) -> None:
    """P7, as whoever supports people sees it."""
    report(delivery, "delivered", at=whole(0.3), heard=0.4)
    client.force_login(User.objects.create_superuser(username="root", password="a-long-password-1"))

    page = client.get(f"/admin/otp/challenge/{delivery.challenge_id}/change/").content.decode()

    assert page.index("Started") < page.index("WhatsApp: accepted") < page.index("WhatsApp: delivered")
    assert "-0." not in page
    assert "−0." not in page  # the minus sign
