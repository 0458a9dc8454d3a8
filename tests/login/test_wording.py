"""The live line, by table: what people read for every way that a delivery can go."""

import uuid
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.utils import translation

from channels.types import Channel, FailureReason, Status
from login import texts, wording
from login.texts import Stage, Tone
from otp.types import ChallengeView, DeliveryView, State

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
W, S = Channel.WHATSAPP, Channel.SMS
BOTH, ONLY_W, ONLY_S = (W, S), (W,), (S,)


def message(
    channel: Channel, status: Status, cause: str = "start", reason: FailureReason | None = None
) -> DeliveryView:
    if status is Status.FAILED and reason is None:
        reason = FailureReason.UNREACHABLE
    return DeliveryView(channel=channel, status=status, reason=reason, cause=cause, at=NOW)


def view(
    *deliveries: DeliveryView,
    channels: tuple[Channel, ...] = BOTH,
    waits: dict[Channel, int] | None = None,
    fallback_in: int | None = None,
    state: State = State.PENDING,
) -> ChallengeView:
    return ChallengeView(
        id=uuid.uuid4(),
        project_id=uuid.uuid4(),
        phone_masked="+852 •••• ••67",
        channel=deliveries[-1].channel if deliveries else channels[0],
        channels=channels,
        code_length=6,
        expires_at=NOW + timedelta(minutes=5),
        resend_at={c: NOW + timedelta(seconds=(waits or {}).get(c, 0)) for c in channels},
        attempts_left=5,
        state=state,
        end_reason="",
        deliveries=deliveries,
        fallback_at=NOW + timedelta(seconds=fallback_in) if fallback_in is not None else None,
    )


def live(*deliveries: DeliveryView, **fields: object) -> wording.Live:
    return wording.live(view(*deliveries, **fields), now=NOW)  # type: ignore[arg-type] # as view takes them


FAILED_W = message(W, Status.FAILED)
SILENT_W = message(W, Status.EXPIRED)


@pytest.mark.parametrize(
    ("deliveries", "headline", "tone"),
    [
        pytest.param((), "Your code is on its way", "working", id="nothing yet"),
        pytest.param((message(W, Status.QUEUED),), "Sending your code by WhatsApp…", "working", id="queued"),
        pytest.param(
            (message(W, Status.SENDING),), "Sending your code by WhatsApp…", "working", id="sending"
        ),
        pytest.param((message(W, Status.ACCEPTED),), "Sent on WhatsApp", "good", id="accepted"),
        pytest.param((message(W, Status.SENT),), "Sent on WhatsApp", "good", id="sent"),
        pytest.param((message(W, Status.DELIVERED),), "Delivered on WhatsApp ✓✓", "good", id="delivered"),
        pytest.param((message(W, Status.READ),), "Delivered on WhatsApp ✓✓", "good", id="read"),
        pytest.param((SILENT_W,), "No answer from WhatsApp yet", "warn", id="silent"),
        pytest.param((FAILED_W,), "WhatsApp could not deliver it", "bad", id="failed"),
        pytest.param((message(S, Status.QUEUED),), "Sending your code by SMS…", "working", id="sms queued"),
        pytest.param((message(S, Status.SENT),), "Sent by SMS", "good", id="sms sent"),
        pytest.param((message(S, Status.DELIVERED),), "Delivered by SMS ✓✓", "good", id="sms delivered"),
        pytest.param((message(S, Status.EXPIRED),), "Sent by SMS", "good", id="sms without news"),
        pytest.param((message(S, Status.FAILED),), "The SMS could not be delivered", "bad", id="sms failed"),
        pytest.param(
            (FAILED_W, message(S, Status.QUEUED, "fallback")),
            "WhatsApp could not deliver it — we are sending an SMS…",
            "working",
            id="falling back",
        ),
        pytest.param(
            (FAILED_W, message(S, Status.ACCEPTED, "fallback")),
            "WhatsApp could not deliver it — we sent an SMS",
            "good",
            id="fell back",
        ),
        pytest.param(
            (FAILED_W, message(S, Status.DELIVERED, "fallback")),
            "WhatsApp could not deliver it — we sent an SMS",
            "good",
            id="fell back, delivered",
        ),
        pytest.param(
            (FAILED_W, message(S, Status.FAILED, "fallback")),
            "Neither WhatsApp nor SMS could deliver your code",
            "bad",
            id="both failed",
        ),
        pytest.param(
            (SILENT_W, message(S, Status.QUEUED, "fallback")),
            "No answer from WhatsApp yet — we are also sending an SMS…",
            "working",
            id="falling back after silence",
        ),
        pytest.param(
            (SILENT_W, message(S, Status.SENT, "fallback")),
            "No answer from WhatsApp yet — we also sent an SMS; either message works",
            "good",
            id="fell back after silence",
        ),
        pytest.param(
            (SILENT_W, message(S, Status.FAILED, "fallback")),
            "No answer from WhatsApp yet, and the SMS could not be delivered",
            "warn",
            id="silence, then a failed SMS",
        ),
        pytest.param(
            (message(W, Status.DELIVERED), message(S, Status.SENT, "fallback")),
            "Delivered on WhatsApp ✓✓",
            "good",
            id="WhatsApp arrived late",
        ),
        pytest.param(
            (message(S, Status.FAILED), message(W, Status.SENT, "fallback")),
            "The SMS could not be delivered — we wrote on WhatsApp",
            "good",
            id="the other way round",
        ),
        pytest.param(
            (message(S, Status.EXPIRED), message(W, Status.SENT, "fallback")),
            "No news of the SMS yet — we also wrote on WhatsApp; either message works",
            "good",
            id="the other way round after silence",
        ),
        pytest.param(
            (message(W, Status.SENT), message(S, Status.FAILED, "switch")),
            "The SMS you asked for could not be delivered",
            "warn",
            id="the chosen SMS failed",
        ),
        pytest.param(
            (message(S, Status.FAILED), message(W, Status.FAILED, "switch")),
            "The WhatsApp message you asked for could not be delivered",
            "bad",
            id="the chosen WhatsApp message failed",
        ),
        pytest.param(
            (message(W, Status.FAILED, reason=FailureReason.LIMIT),),
            "No more codes can be sent to this number for now",
            "bad",
            id="our own ceiling",
        ),
        pytest.param(
            (message(W, Status.SENT), message(W, Status.QUEUED, "resend")),
            "Sending your code by WhatsApp…",
            "working",
            id="again",
        ),
    ],
)
def test_headline_tells_the_truth(deliveries: tuple[DeliveryView, ...], headline: str, tone: str) -> None:
    said = live(*deliveries)

    assert (said.headline, said.tone) == (headline, Tone(tone))


@pytest.mark.parametrize(
    ("deliveries", "channels", "detail"),
    [
        pytest.param((message(W, Status.SENT),), BOTH, "Open WhatsApp on your phone", id="sent"),
        pytest.param((SILENT_W,), ONLY_W, "Check that your phone is online", id="silent"),
        pytest.param((FAILED_W,), BOTH, "You can get the code by SMS instead", id="failed, SMS offered"),
        pytest.param(
            (FAILED_W,), ONLY_W, "Check that WhatsApp is installed for this number", id="whatsapp_only"
        ),
        pytest.param(
            (message(W, Status.FAILED, reason=FailureReason.MISCONFIGURED),),
            ONLY_W,
            "your phone is not the cause",
            id="whatsapp_only, our own fault",
        ),
        pytest.param(
            (message(W, Status.FAILED, reason=FailureReason.LIMIT),),
            BOTH,
            "Too many were asked for",
            id="ceiling",
        ),
        pytest.param(
            (message(S, Status.FAILED),), BOTH, "You can get the code on WhatsApp instead", id="SMS failed"
        ),
        pytest.param((message(S, Status.FAILED),), ONLY_S, "Check the number", id="sms_only failed"),
        pytest.param(
            (message(W, Status.SENT), message(S, Status.FAILED, "switch")),
            BOTH,
            "Check the number",
            id="chosen",
        ),
        pytest.param(
            (message(W, Status.DELIVERED), message(S, Status.FAILED, "switch")),
            BOTH,
            "its code still works",
            id="an earlier message arrived",
        ),
        pytest.param(
            (FAILED_W, message(S, Status.DELIVERED, "fallback")),
            BOTH,
            "The SMS was delivered",
            id="SMS arrived",
        ),
        pytest.param((message(S, Status.SENT),), BOTH, "An SMS can take a minute", id="SMS sent"),
        pytest.param(
            (message(W, Status.READ), message(S, Status.SENT, "fallback")),
            BOTH,
            "either message works",
            id="both",
        ),
    ],
)
def test_detail_says_what_can_be_done(
    deliveries: tuple[DeliveryView, ...], channels: tuple[Channel, ...], detail: str
) -> None:
    assert detail in live(*deliveries, channels=channels).detail


def test_an_sms_that_was_the_first_message_and_is_there_can_not_take_a_minute() -> None:
    assert live(message(S, Status.DELIVERED)).detail == ""


def test_coming_sms_is_counted_down() -> None:
    said = live(message(W, Status.SENT), fallback_in=18)

    assert said.countdown_seconds == 18
    assert said.countdown_text == "If it does not arrive, we send an SMS in 0:18."


def test_nothing_is_counted_down_when_nothing_will_come() -> None:
    assert live(message(W, Status.SENT)).countdown_text == ""
    assert live(message(W, Status.SENT), fallback_in=5, state=State.VERIFIED).countdown == ""


def test_failure_with_a_fallback_to_come_does_not_ask_for_anything() -> None:
    assert live(FAILED_W, fallback_in=1).detail == "We are trying the other way now."


def test_buttons_wait_and_name_their_channel() -> None:
    again, other = live(message(W, Status.SENT), waits={W: 75}).sends

    assert (again.choice, again.text) == ("", "Send again on WhatsApp in 1:15")
    assert (other.choice, other.text) == ("sms", "Send by SMS instead")


def test_buttons_follow_the_channel_in_use() -> None:
    again, other = live(FAILED_W, message(S, Status.SENT, "fallback")).sends

    assert (again.channel, again.choice, again.text) == (S, "", "Send the SMS again")
    assert (other.channel, other.choice, other.text) == (W, "whatsapp", "Send on WhatsApp instead")


def test_only_promised_channels_are_offered() -> None:
    assert [send.channel for send in live(message(W, Status.SENT), channels=ONLY_W).sends] == [W]


def test_channel_that_had_all_its_messages_is_not_offered() -> None:
    exhausted = view(message(W, Status.SENT))
    del exhausted.resend_at[W]

    assert [send.channel for send in wording.live(exhausted, now=NOW).sends] == [S]


def test_each_channel_has_one_line_with_its_newest_message() -> None:
    rows = live(
        message(W, Status.SENT), message(W, Status.FAILED, "resend"), message(S, Status.DELIVERED, "fallback")
    ).rows

    assert [(row.name, row.stage, row.label) for row in rows] == [
        ("WhatsApp", Stage.FAILED, "Not delivered"),
        ("SMS", Stage.DELIVERED, "Delivered"),
    ]


def test_waits_are_rounded_up_and_never_negative() -> None:
    assert wording.seconds_until(NOW + timedelta(seconds=0.2), NOW) == 1
    assert wording.seconds_until(NOW + timedelta(seconds=30), NOW) == 30
    assert wording.seconds_until(NOW - timedelta(seconds=9), NOW) == 0


def test_every_state_has_words() -> None:
    causes, befores = ("start", "resend", "switch", "fallback"), (None, *Status)
    reasons = (None, FailureReason.LIMIT, FailureReason.PAYMENT)
    for channel, status, cause, before, reason in product(Channel, Status, causes, befores, reasons):
        other = W if channel is S else S
        first = (message(other, before),) if before is not None else ()

        said = live(*first, message(channel, status, cause, reason))

        assert said.headline
        assert "{" not in said.headline + said.detail


def test_each_failure_reason_is_either_ours_or_the_persons() -> None:
    """A new reason must be sorted: what follows from it is said to people."""
    theirs = {
        FailureReason.NOT_ON_CHANNEL, FailureReason.UNREACHABLE, FailureReason.BLOCKED_BY_USER, FailureReason.REFUSED,
        FailureReason.IDENTITY_CHANGED, FailureReason.INVALID_NUMBER, FailureReason.FRAUD_BLOCKED, FailureReason.LIMIT,
        FailureReason.NO_NEWS, FailureReason.UNKNOWN,
    }  # fmt: skip

    assert texts.NOT_YOURS | theirs == set(FailureReason)
    assert not texts.NOT_YOURS & theirs


def test_words_follow_the_active_language() -> None:
    """Every text goes through gettext: a language without translations falls back to English, never to nothing."""
    with translation.override("ar"):
        assert live(message(W, Status.SENT)).headline
