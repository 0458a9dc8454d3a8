"""Meta's webhook: its verification by GET, and reports of messages, templates and accounts."""

import hmac
import re

import structlog
from django.http import HttpRequest
from django.utils import timezone

from channels import samples
from channels.base import SenderConfig
from channels.providers.meta import META
from channels.providers.meta.settings import MetaSettings
from channels.senders import senders
from core.plain_response import PlainResponse
from events import sender_events
from otp import services
from webhooks.base import Read, Webhook, answer, authenticated, count_left_out
from webhooks.meta import authentication, items

log = structlog.get_logger(__name__)

_LONGEST_CHALLENGE = 256
_LONGEST_TOKEN = 1024


def _senders() -> list[SenderConfig[MetaSettings]]:
    return senders.get().of_provider(META.name)


def _verify(request: HttpRequest) -> PlainResponse:
    challenge = request.GET.get("hub.challenge", "")
    given = request.GET.get("hub.verify_token", "")
    is_ours = False
    if given and len(given) <= _LONGEST_TOKEN:
        for sender in _senders():  # all of them, always: the time tells nothing
            token = sender.settings.verify_token.get_secret_value()
            is_ours |= bool(token) and hmac.compare_digest(token.encode(), given.encode())
    if not is_ours or request.GET.get("hub.mode") != "subscribe":
        log.warning("webhook.verification_refused", path=request.path)
        return answer(403)
    return answer(400) if len(challenge) > _LONGEST_CHALLENGE else answer(200, challenge)


def _receive(request: HttpRequest, read: Read) -> None:
    raw, signature = read(), WEBHOOK.signature_of(request)
    secrets = authenticated(
        META.name,
        authenticate=lambda ours: authentication.authenticate(raw, signature=signature, senders=ours),
        named=lambda ours: authentication.named(raw, ours),
    )
    reading = authentication.read(raw)
    claimed = authentication.claim(reading.changes, secrets=secrets, senders=_senders())
    translated = items.translate(claimed.changes, now=timezone.now())
    for notice in translated.notices:
        log.warning("whatsapp.notice", kind=notice.kind, **notice.details)
    for event in translated.account_events:
        sender_events.account_event(event.sender_ids, event.updates, at=event.at)
    count_left_out(META.name, reading.left_out + claimed.left_out + translated.left_out)
    if translated.updates:
        services.record_status_updates(translated.updates)
    if translated.samples:
        samples.record(translated.samples)
    if translated.disavowals:
        services.revoke_disavowed(translated.disavowals)
    sender_events.reports_arrived(sender_id for change in claimed.changes for sender_id in change.sender_ids)


WEBHOOK = Webhook(
    name="whatsapp",
    receive=_receive,
    verify=_verify,
    limit=4 * 1024 * 1024,  # Meta sends 3 MB at most
    header="X-Hub-Signature-256",
    signature=re.compile(r"sha256=[0-9a-f]{64}"),
)
