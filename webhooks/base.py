"""What a provider's webhook is: one declaration in `webhooks.<name>`, `WEBHOOK`. And what several of them do alike."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import structlog
from django.http import HttpRequest

from channels.base import SenderConfig
from channels.senders import senders
from channels.types import StatusUpdate
from core import config_version, metrics
from core.plain_response import PlainResponse
from events import sender_events
from otp import services
from webhooks.errors import Counts, LeftOut, Unreadable, Untrusted

log = structlog.get_logger(__name__)

type Read = Callable[[], bytes]  # the raw body, bounded
type Senders = Sequence[SenderConfig[Any]]

# A report may go by a configuration that was replaced so many seconds ago, which spares most of them a round trip. A
# sender that is switched off, or a secret that is taken away, counts for as long; a new secret counts at once.
BELIEVED = 0.1

# A key as it is usually written.
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """`receive` authenticates, translates and hands over, and raises what `webhooks.errors` names; it returns once
    everything is committed. `name` is the one of its metrics."""

    name: str
    receive: Callable[[HttpRequest, Read], None]
    limit: int  # bytes of a body
    # A post without this header, in this form, is not signed: its body is not even read.
    header: str
    signature: re.Pattern[str]
    # What a GET means, where the provider verifies the address by one.
    verify: Callable[[HttpRequest], PlainResponse] | None = None

    @cached_property
    def _key(self) -> str:
        """Of the header, in WSGI's words."""
        return f"HTTP_{self.header.upper().replace('-', '_')}"

    def signature_of(self, request: HttpRequest) -> str:
        """Raises Untrusted when the header cannot be a signature."""
        # Not `request.headers`: making that mapping costs more than any check.
        signature: str = request.META.get(self._key, "")
        check_signature(self.signature, signature)
        return signature


def check_signature(pattern: re.Pattern[str], signature: str) -> None:
    """Raises Untrusted when the header cannot be a signature."""
    if not pattern.fullmatch(signature):
        raise Untrusted("no_signature")


def trusted_ids[Sender: SenderConfig[Any]](
    account: Sequence[Sender], *, secrets: Callable[[Sender], Sequence[str]], fits: Callable[[str], bool]
) -> tuple[uuid.UUID, ...]:
    """The ids of those senders of an account of which a secret fits. Each secret is tried, once. Raises Untrusted."""
    if not account:
        raise Untrusted("unknown_account")
    matching = {text for text in {text for sender in account for text in secrets(sender)} if fits(text)}
    trusted = tuple(sender.id for sender in account if not matching.isdisjoint(secrets(sender)))
    if not trusted:
        raise Untrusted("wrong_signature")
    return trusted


def authenticated[Trusted](
    provider: str,
    *,
    authenticate: Callable[[Senders], Trusted],
    named: Callable[[Senders], Sequence[uuid.UUID]],
) -> Trusted:
    """What `authenticate` makes of the provider's senders, as this process heard of them within `BELIEVED`.

    Raises Untrusted only of senders as they are now, and notes it for those that the post names, true or not.
    """
    ours = senders.get().of_provider(provider)
    try:
        return authenticate(ours)
    except Untrusted:
        if not config_version.renew():
            sender_events.report_refused(named(ours))
            raise
    return authenticated(provider, authenticate=authenticate, named=named)


def delivery_id(value: object) -> str | None:
    """Our delivery's id, as we gave it along; None for messages that we did not send."""
    if not isinstance(value, str):
        return None
    # A batch has a thousand, and making keys of them takes longer than anything else.
    if _KEY.fullmatch(value):
        return value
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return None


def record_one(
    provider: str, sender_ids: tuple[uuid.UUID, ...], translate: Callable[[], StatusUpdate | None]
) -> None:
    """Hand over a signed post of one report. One that cannot be read is counted: it is no better the second time."""
    try:
        update = translate()
    except Unreadable:
        count_left_out(provider, Counts([LeftOut.UNREADABLE]))
        update = None
    if update:
        services.record_status_updates([update])
    sender_events.reports_arrived(sender_ids)


def answer(status: int, text: str = "") -> PlainResponse:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return PlainResponse(status=status, headers=headers, body=text.encode())


def count_left_out(provider: str, counts: Counts) -> None:
    """What a genuine post holds beside our reports, without its content."""
    for why, number in counts.items():
        metrics.WEBHOOK_LEFT_OUT.labels(provider, why.value).inc(number)
        line = log.info if why in (LeftOut.FOREIGN_ACCOUNT, LeftOut.FOREIGN_NUMBER) else log.warning
        line("webhook.left_out", provider=provider, why=why.value, count=number)
