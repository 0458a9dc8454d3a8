"""What an operator has to know about senders, in words and with a remedy."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels import breaker, health
from channels.breaker import State
from channels.models import SenderHealth
from channels.types import Channel, FailureReason


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One sender in trouble. `passed_over`: new logins go round it where the project has another channel."""

    sender_id: uuid.UUID
    sender: str
    channel: Channel
    problem: str | Promise
    remedy: str | Promise
    provider_code: str
    since: datetime | None
    passed_over: bool


_TOKEN = (_("The access token is expired or not valid"), _("Store a new token that does not expire."))
_TEMPLATE = (
    _("The message template does not exist in that language, or is not approved"),
    _("Check name, languages and status of the template in WhatsApp Manager."),
)
# Provider's number → problem and remedy, where it says more than the reason.
_BY_CODE = {
    (Channel.WHATSAPP, "190"): _TOKEN,
    (Channel.WHATSAPP, "104"): _TOKEN,
    (Channel.WHATSAPP, "132001"): _TEMPLATE,
    (Channel.WHATSAPP, "132007"): _TEMPLATE,
    (Channel.WHATSAPP, "133010"): (
        _("The phone number is not registered with the Cloud API"),
        _("Register the number, then check its ID here."),
    ),
    (Channel.SMS, "20003"): (
        _("The account SID or the auth token is wrong"),
        _("Store the current auth token of the account."),
    ),
}
_BY_REASON = {
    FailureReason.UNAVAILABLE: (
        _("The provider does not answer, or answers with errors"),
        _("Look at the provider's status page. It is tried again by itself."),
    ),
    FailureReason.MISCONFIGURED: (
        _("The provider refuses this sender"),
        _("Check its credentials and permissions. The number of the error tells more."),
    ),
    FailureReason.TEMPLATE_PAUSED: (
        _("The message template is paused or disabled"),
        _("Look at its quality in WhatsApp Manager; use another template meanwhile."),
    ),
    FailureReason.PAYMENT: (_("The provider cannot charge the account"), _("Check its payment method.")),
    FailureReason.ACCOUNT_BLOCKED: (
        _("The provider has restricted the account"),
        _("Look for a notice in the provider's console and appeal there."),
    ),
    FailureReason.HELD: (
        _("The provider takes messages but holds them back"),
        _("Look at the quality of number and template in WhatsApp Manager."),
    ),
}
_UNKNOWN = (_("Messages fail"), _("The delivery log tells more."))


def current() -> list[Alert]:
    """The alerts of all active senders, oldest first."""
    now = timezone.now()
    rows = (
        SenderHealth.objects.filter(alert=True, sender__is_active=True)
        .select_related("sender__project")
        .order_by("since")
    )
    return [_alert(row, now) for row in rows]


def words(*, channel: str, reason: str, provider_code: str) -> tuple[str | Promise, str | Promise]:
    """Problem and remedy."""
    cause = FailureReason(reason) if reason else FailureReason.UNKNOWN
    return _BY_CODE.get((Channel(channel), provider_code)) or _BY_REASON.get(cause, _UNKNOWN)


def _alert(row: SenderHealth, now: datetime) -> Alert:
    problem, remedy = words(channel=row.sender.channel, reason=row.reason, provider_code=row.provider_code)
    return Alert(
        sender_id=row.pk,
        sender=str(row.sender),
        channel=Channel(row.sender.channel),
        problem=problem,
        remedy=remedy,
        provider_code=row.provider_code,
        since=row.since,
        passed_over=breaker.state(health.read(row), now=now) is not State.CLOSED,
    )
