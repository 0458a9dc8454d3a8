"""The live line, by table: what people read for every way that a delivery can go."""

import pytest

from channels.types import Channel, FailureReason, Status
from login.messages.delivery_texts import Tone
from otp.types import DeliveryView, State
from tests.login.messages.deliveries import BOTH, FAILED_W, ONLY_S, ONLY_W, SILENT_W, S, W, live, message


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
            "No answer from WhatsApp yet — we also sent an SMS",
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
            "We can't confirm the SMS yet, so we also sent it on WhatsApp",
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
            "Your phone is fine",
            id="whatsapp_only, our own fault",
        ),
        pytest.param(
            (message(W, Status.FAILED, reason=FailureReason.LIMIT),),
            BOTH,
            "You've requested too many codes",
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
            (message(S, Status.EXPIRED), message(W, Status.SENT, "fallback")),
            BOTH,
            "Either code works",
            id="WhatsApp after a silent SMS",
        ),
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


@pytest.mark.parametrize(
    ("failed", "headline"),
    [
        pytest.param(FAILED_W, "WhatsApp could not deliver it — we are sending an SMS…", id="not delivered"),
        pytest.param(
            message(W, Status.FAILED, reason=FailureReason.UNAVAILABLE),
            "WhatsApp could not deliver it — we are sending an SMS…",
            id="provider's 500",
        ),
        pytest.param(
            message(W, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL),
            "This number is not on WhatsApp, so we are sending an SMS…",
            id="not on WhatsApp",
        ),
        pytest.param(SILENT_W, "No answer from WhatsApp yet — we are also sending an SMS…", id="silence"),
    ],
)
def test_failure_with_a_fallback_on_its_way_is_no_alarm(failed: DeliveryView, headline: str) -> None:
    """No red flash before the SMS, nothing to do for the person, and the same words before and after."""
    before = live(failed, next_channel=S)
    after = live(failed, message(S, Status.QUEUED, "fallback"))

    assert (before.headline, before.tone, before.detail) == (headline, Tone.WORKING, "")
    assert (after.headline, after.tone, after.detail) == (headline, Tone.WORKING, "")
