"""The words for how far a message is, by channel. Tables only; `login.wording` chooses among them."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from channels.types import Channel, FailureReason, Status

type Words = str | Promise


class Stage(StrEnum):
    """How far a message is, as far as the person who waits for it cares."""

    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    SILENT = "silent"
    FAILED = "failed"


class Tone(StrEnum):
    WORKING = "working"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


STAGES: Mapping[Status, Stage] = {
    Status.QUEUED: Stage.SENDING,
    Status.SENDING: Stage.SENDING,
    Status.ACCEPTED: Stage.SENT,
    Status.SENT: Stage.SENT,
    Status.DELIVERED: Stage.DELIVERED,
    Status.READ: Stage.DELIVERED,
    Status.EXPIRED: Stage.SILENT,
    Status.FAILED: Stage.FAILED,
}
TONES: Mapping[Stage, Tone] = {
    Stage.SENDING: Tone.WORKING,
    Stage.SENT: Tone.GOOD,
    Stage.DELIVERED: Tone.GOOD,
    Stage.SILENT: Tone.WARN,
    Stage.FAILED: Tone.BAD,
}
LABELS: Mapping[Stage, Words] = {
    Stage.SENDING: gettext_lazy("Sending…"),
    Stage.SENT: gettext_lazy("Sent"),
    Stage.DELIVERED: gettext_lazy("Delivered"),
    Stage.SILENT: gettext_lazy("No answer yet"),
    Stage.FAILED: gettext_lazy("Not delivered"),
}
_W, _S = Channel.WHATSAPP, Channel.SMS

HEADLINES: Mapping[tuple[Channel, Stage], Words] = {
    (_W, Stage.SENDING): gettext_lazy("Sending your code by WhatsApp…"),
    (_W, Stage.SENT): gettext_lazy("Sent on WhatsApp"),
    (_W, Stage.DELIVERED): gettext_lazy("Delivered on WhatsApp ✓✓"),
    (_W, Stage.SILENT): gettext_lazy("No answer from WhatsApp yet"),
    (_W, Stage.FAILED): gettext_lazy("WhatsApp could not deliver it"),
    (_S, Stage.SENDING): gettext_lazy("Sending your code by SMS…"),
    (_S, Stage.SENT): gettext_lazy("Sent by SMS"),
    (_S, Stage.DELIVERED): gettext_lazy("Delivered by SMS ✓✓"),
    (_S, Stage.FAILED): gettext_lazy("The SMS could not be delivered"),
}
CHOSEN_FAILED: Mapping[Channel, Words] = {
    _W: gettext_lazy("The WhatsApp message you asked for could not be delivered"),
    _S: gettext_lazy("The SMS you asked for could not be delivered"),
}
# After the automatic fallback: (channel that took over, the first one failed for sure, how far the second one is).
_BOTH_SMS = gettext_lazy("No answer from WhatsApp yet — we also sent an SMS; either message works")
_BOTH_WHATSAPP = gettext_lazy("No news of the SMS yet — we also wrote on WhatsApp; either message works")
_NEITHER = gettext_lazy("Neither WhatsApp nor SMS could deliver your code")
TAKEN_OVER: Mapping[tuple[Channel, bool, Stage], Words] = {
    (_S, True, Stage.SENDING): gettext_lazy("WhatsApp could not deliver it — we are sending an SMS…"),
    (_S, True, Stage.SENT): gettext_lazy("WhatsApp could not deliver it — we sent an SMS"),
    (_S, True, Stage.FAILED): _NEITHER,
    (_S, False, Stage.SENDING): gettext_lazy("No answer from WhatsApp yet — we are also sending an SMS…"),
    (_S, False, Stage.SENT): _BOTH_SMS,
    (_S, False, Stage.FAILED): gettext_lazy(
        "No answer from WhatsApp yet, and the SMS could not be delivered"
    ),
    (_W, True, Stage.SENDING): gettext_lazy("The SMS could not be delivered — we are writing on WhatsApp…"),
    (_W, True, Stage.SENT): gettext_lazy("The SMS could not be delivered — we wrote on WhatsApp"),
    (_W, True, Stage.FAILED): _NEITHER,
    (_W, False, Stage.SENDING): gettext_lazy("No news of the SMS yet — we are also writing on WhatsApp…"),
    (_W, False, Stage.SENT): _BOTH_WHATSAPP,
    (_W, False, Stage.FAILED): gettext_lazy("No news of the SMS yet, and WhatsApp could not deliver it"),
}
# Reasons that are about us or the provider: nothing the person could check or mend.
NOT_YOURS = frozenset(
    {
        FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE, FailureReason.HELD, FailureReason.MISCONFIGURED,
        FailureReason.TEMPLATE_PAUSED, FailureReason.PAYMENT, FailureReason.ACCOUNT_BLOCKED, FailureReason.NO_SENDER,
        FailureReason.BAD_REQUEST, FailureReason.CRASHED, FailureReason.SKIPPED, FailureReason.PAIR_LIMITED,
    }
)  # fmt: skip
