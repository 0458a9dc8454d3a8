"""The live line, beyond its headline: why, which buttons, and one line for each channel."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import translation

from channels.types import Channel, FailureReason, Status
from login.messages import delivery as delivery_messages
from login.messages import delivery_texts
from login.messages.delivery_texts import Stage
from otp.types import DeliveryView
from tests.login.messages.deliveries import FAILED_W, NOW, ONLY_W, SILENT_W, S, W, live, message, view


@pytest.mark.parametrize(
    ("deliveries", "headline", "detail"),
    [
        pytest.param(
            (
                message(W, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
                message(S, Status.SENT, "fallback"),
            ),
            "This number is not on WhatsApp, so we sent an SMS",
            "An SMS can take a minute.",
            id="not on WhatsApp",
        ),
        pytest.param(
            (
                message(W, Status.FAILED, reason=FailureReason.BLOCKED_BY_USER),
                message(S, Status.READ, "fallback"),
            ),
            "This number has blocked us on WhatsApp, so we sent an SMS",
            "The SMS was delivered.",
            id="blocked on WhatsApp",
        ),
        pytest.param(
            (
                message(W, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
                message(S, Status.FAILED, "fallback"),
            ),
            "This number is not on WhatsApp, and the SMS could not be delivered",
            "Check the number. You can send the code again, or use another number.",
            id="neither",
        ),
        pytest.param(
            (message(S, Status.FAILED, reason=FailureReason.BLOCKED_BY_USER, from_number="+15005550006"),),
            "This number has blocked our SMS: reply START to +15005550006",
            "You can get the code on WhatsApp instead.",
            id="SMS blocked",
        ),
        pytest.param(
            (
                FAILED_W,
                message(
                    S, Status.FAILED, "fallback", FailureReason.BLOCKED_BY_USER, from_number="+15005550006"
                ),
            ),
            "This number has blocked our SMS: reply START to +15005550006",
            "Then send it again, or use another number.",
            id="SMS blocked after WhatsApp failed",
        ),
        pytest.param(
            (message(W, Status.SENT), message(S, Status.FAILED, "switch", FailureReason.BLOCKED_BY_USER)),
            "This number has blocked our SMS: reply START to the last one",
            "Then send it again, or use another number.",
            id="chosen SMS blocked, by a sender without a number",
        ),
        pytest.param(
            (message(W, Status.SENT), message(S, Status.FAILED, "switch", FailureReason.NOT_ON_CHANNEL)),
            "This number cannot receive SMS",
            "Check the number. You can send the code again, or use another number.",
            id="no SMS on this line",
        ),
        pytest.param(
            (message(S, Status.FAILED), message(W, Status.FAILED, "switch", FailureReason.NOT_ON_CHANNEL)),
            "This number is not on WhatsApp",
            "Check the number. You can send the code again, or use another number.",
            id="chosen WhatsApp, not there",
        ),
        pytest.param(
            (
                message(S, Status.FAILED, reason=FailureReason.UNAVAILABLE),
                message(W, Status.FAILED, "switch"),
            ),
            "The WhatsApp message you asked for could not be delivered",
            "Check the number. You can send the code again, or use another number.",
            id="no reason to name",
        ),
    ],
)
def test_page_says_why(deliveries: tuple[DeliveryView, ...], headline: str, detail: str) -> None:
    said = live(*deliveries)

    assert (said.headline, said.detail) == (headline, detail)


def test_either_message_works_after_silence() -> None:
    """Said beside the headline, which has the room of two lines."""
    said = live(SILENT_W, message(S, Status.SENT, "fallback"))

    assert said.detail == "An SMS can take a minute. Either message works."


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

    assert [send.channel for send in delivery_messages.live(exhausted, now=NOW).sends] == [S]


def test_each_channel_has_one_line_with_its_newest_message() -> None:
    rows = live(
        message(W, Status.SENT), message(W, Status.FAILED, "resend"), message(S, Status.DELIVERED, "fallback")
    ).rows

    assert [(row.name, row.stage, row.label) for row in rows] == [
        ("WhatsApp", Stage.FAILED, "Not delivered"),
        ("SMS", Stage.DELIVERED, "Delivered"),
    ]


def test_waits_are_rounded_up_and_never_negative() -> None:
    assert delivery_messages.seconds_until(NOW + timedelta(seconds=0.2), NOW) == 1
    assert delivery_messages.seconds_until(NOW + timedelta(seconds=30), NOW) == 30
    assert delivery_messages.seconds_until(NOW - timedelta(seconds=9), NOW) == 0


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
        FailureReason.NO_REPORT, FailureReason.UNKNOWN,
    }  # fmt: skip

    assert delivery_texts.OUR_FAULT | theirs == set(FailureReason)
    assert not delivery_texts.OUR_FAULT & theirs


def test_words_follow_the_active_language() -> None:
    """Every text goes through gettext: a language without translations falls back to English, never to nothing."""
    with translation.override("ar"):
        assert live(message(W, Status.SENT)).headline


def test_number_to_write_to_keeps_its_plus_in_front_in_right_to_left_text() -> None:
    """G10."""
    blocked = message(S, Status.FAILED, reason=FailureReason.BLOCKED_BY_USER, from_number="+15005550006")

    with translation.override("ar"):
        assert "\u200e+15005550006" in live(blocked).headline
