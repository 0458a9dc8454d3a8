"""Tables of texts for each stage of a message, by channel. `login.messages.delivery` chooses among them."""

from collections.abc import Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from channels.types import Channel, FailureReason, Status

type Words = str | Promise


class Stage(StrEnum):
    """How far a message got, as simply as the waiting person needs it."""

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
# After a fallback: (channel that took over, whether the first one surely failed, stage of the second one).
_BOTH_SMS = gettext_lazy("No answer from WhatsApp yet — we also sent an SMS")
_BOTH_WHATSAPP = gettext_lazy("We can't confirm the SMS yet, so we also sent it on WhatsApp")
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
    (_W, False, Stage.SENDING): gettext_lazy(
        "We can't confirm the SMS yet, so we are also sending it on WhatsApp…"
    ),
    (_W, False, Stage.SENT): _BOTH_WHATSAPP,
    (_W, False, Stage.FAILED): gettext_lazy(
        "We can't confirm the SMS yet, and WhatsApp could not deliver it"
    ),
}
# The same when the reason of WhatsApp's failure is known: (reason, stage of the SMS).
WHY_SMS: Mapping[tuple[FailureReason, Stage], Words] = {
    (FailureReason.NOT_ON_CHANNEL, Stage.SENDING): gettext_lazy(
        "This number is not on WhatsApp, so we are sending an SMS…"
    ),
    (FailureReason.NOT_ON_CHANNEL, Stage.SENT): gettext_lazy(
        "This number is not on WhatsApp, so we sent an SMS"
    ),
    (FailureReason.NOT_ON_CHANNEL, Stage.FAILED): gettext_lazy(
        "This number is not on WhatsApp, and the SMS could not be delivered"
    ),
    (FailureReason.BLOCKED_BY_USER, Stage.SENDING): gettext_lazy(
        "This number has blocked us on WhatsApp, so we are sending an SMS…"
    ),
    (FailureReason.BLOCKED_BY_USER, Stage.SENT): gettext_lazy(
        "This number has blocked us on WhatsApp, so we sent an SMS"
    ),
}
# Failures that make sense to the person, whatever was sent before.
WHY_FAILED: Mapping[tuple[Channel, FailureReason], Words] = {
    (_W, FailureReason.NOT_ON_CHANNEL): gettext_lazy("This number is not on WhatsApp"),
    (_W, FailureReason.BLOCKED_BY_USER): gettext_lazy("This number has blocked us on WhatsApp"),
    (_S, FailureReason.NOT_ON_CHANNEL): gettext_lazy("This number cannot receive SMS"),
}
# Reasons on our side or the provider's: the person cannot fix them.
OUR_FAULT = frozenset(
    {
        FailureReason.RATE_LIMITED, FailureReason.UNAVAILABLE, FailureReason.HELD, FailureReason.MISCONFIGURED,
        FailureReason.TEMPLATE_MISSING, FailureReason.TEMPLATE_PAUSED, FailureReason.TEMPLATE_UNFIT,
        FailureReason.PAYMENT, FailureReason.ACCOUNT_BLOCKED, FailureReason.NO_SENDER,
        FailureReason.BAD_REQUEST, FailureReason.CRASHED, FailureReason.SKIPPED, FailureReason.PAIR_LIMITED,
    }
)  # fmt: skip
