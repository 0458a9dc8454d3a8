"""Why a message did not arrive and why one was sent, as sentences for staff."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels.report_counts import REASON as REPORTS_MISSING
from channels.types import FailureReason
from otp.types import Cause, EndReason

REASONS: dict[str, Promise] = {
    FailureReason.NOT_ON_CHANNEL: _("The number has no WhatsApp account, or cannot get SMS."),
    FailureReason.UNREACHABLE: _("The phone was off or without signal, or its network gave up."),
    FailureReason.BLOCKED_BY_USER: _("The person has blocked the sender or opted out."),
    FailureReason.REFUSED: _("The provider chose not to deliver, by a rule of its own or of the country."),
    FailureReason.IDENTITY_CHANGED: _("The WhatsApp account changed hands, so the code was revoked."),
    FailureReason.INVALID_NUMBER: _("The provider says that this is not a valid number."),
    FailureReason.RATE_LIMITED: _("The provider said that the sender is too fast."),
    FailureReason.UNAVAILABLE: _("The provider could not be reached, or answered with an error."),
    FailureReason.PAIR_LIMITED: _("Too many messages went from this sender to this one number."),
    FailureReason.SKIPPED: _("Not tried: the sender was failing for everybody, or had to slow down."),
    FailureReason.HELD: _("The provider took the message and held it back."),
    FailureReason.MISCONFIGURED: _("The provider refuses the sender: token, permission or number are wrong."),
    FailureReason.PAYMENT: _("The provider cannot charge the account."),
    FailureReason.ACCOUNT_BLOCKED: _("The provider has restricted the account."),
    FailureReason.FRAUD_BLOCKED: _("The provider took the message for fraud."),
    FailureReason.TEMPLATE_MISSING: _("The template does not exist in this language, or is not approved."),
    FailureReason.TEMPLATE_PAUSED: _("The template is paused or disabled for its quality."),
    FailureReason.TEMPLATE_UNFIT: _("The template does not take a code as it is sent."),
    FailureReason.NO_SENDER: _("No active sender was set up for this channel."),
    FailureReason.BAD_REQUEST: _("The provider says that the request is wrong."),
    FailureReason.LIMIT: _("A limit of this service was reached."),
    FailureReason.CRASHED: _("Two workers stopped while they were sending it."),
    FailureReason.NO_REPORT: _("The provider took the message and then said nothing in time."),
    FailureReason.UNKNOWN: _("The provider gave an error that is not known here."),
    REPORTS_MISSING: _(
        "nothing was sent by itself: no report of this sender arrives, so its silence says nothing"
    ),
}

CAUSES: dict[str, Promise] = {
    Cause.START: _("The person asked for a code."),
    Cause.RESEND: _("The person asked for the code again."),
    Cause.SWITCH: _("The person chose this channel."),
    Cause.FAILOVER: _("The sender before failed, so the channel's next sender took over."),
    Cause.FALLBACK: _("The message before did not arrive, so this channel took over."),
}

ENDS: dict[str, Promise] = {
    EndReason.RESTARTED: _("The person started again, with this number or another one."),
    EndReason.CANCELLED: _("It was cancelled."),
    EndReason.DISAVOWED: _("The person said that they did not ask for this code."),
    EndReason.IDENTITY_CHANGED: _("The WhatsApp account of the number changed hands."),
}


def sentence(reason: str, provider_code: str = "") -> str:
    """Such as "The provider cannot charge the account. payment (131042)"; "" without either."""
    if reason == REPORTS_MISSING:
        return str(REASONS[reason])
    words = f"{reason} ({provider_code})" if reason and provider_code else reason or provider_code
    text = REASONS.get(reason)
    return f"{text} {words}" if text else words
