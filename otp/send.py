"""Send one delivery: claim it, hand it to its provider, record the outcome."""

import random
import time
import uuid
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from channels import health, providers, rehearsals
from channels.base import SenderConfig
from channels.breaker import Verdict
from channels.errors import MEANINGS, SendError
from channels.senders import Senders, senders
from channels.sms_text import sms_text
from channels.types import Channel, FailureReason, Message, Receipt, Status
from core import config_version, metrics
from otp import acceptances, call_evidence, codes, fallback, policy, project_events
from otp.models import Delivery
from otp.routes import route_of
from otp.store import claim as store
from otp.store import updates
from otp.store.claim import Acceptance, Claimed
from otp.store.connections import release_connection
from projects.config import ProjectConfig, projects

log = structlog.get_logger(__name__)


def send_delivery(*, delivery_id: uuid.UUID) -> None:
    """Claim one delivery and hand it to its provider. Safe to call any number of times: only a claim sends."""
    begun = timezone.now()
    claimed = store.claim(delivery_id=delivery_id, now=begun, lease=policy.LEASE)
    if claimed is None:
        return
    send_claimed(claimed, begun)


def send_claimed(claimed: Claimed, begun: datetime) -> None:
    """Hand a delivery that is claimed to its provider. `begun`: when it was claimed."""
    ids = {"delivery_id": str(claimed.delivery_id), "challenge_id": str(claimed.challenge_id)}
    if claimed.request_id:
        ids["request_id"] = claimed.request_id
    with bound_contextvars(**ids), config_version.pinned():
        _send(claimed, begun)


def fall_back(*, delivery_id: uuid.UUID, paid: bool = False) -> None:
    """Let the next sender or channel take over where it may, and send its message. See `otp.fallback.fall_back`."""
    added = fallback.fall_back(delivery_id=delivery_id, paid=paid)
    if added:
        send_delivery(delivery_id=added)


def _send(claimed: Claimed, begun: datetime) -> None:
    known = senders.get()
    try:
        sender = _sender(claimed, known)
    except SendError as error:
        _handle_failure(claimed, error, provider="")
        return
    if (claimed.not_on_whatsapp and _skip_whatsapp(claimed, sender)) or (
        claimed.is_unhealthy and _is_held_back(claimed, sender)
    ):
        return
    languages = known.template_languages(sender, now=begun)
    if languages is not sender.template_languages:  # some are refused
        if not languages and _lacks_templates(claimed, sender):
            return
        sender = sender.with_languages(languages or sender.template_languages)
    _call_provider(claimed, sender, known, begun)


def _call_provider(claimed: Claimed, sender: SenderConfig, known: Senders, begun: datetime) -> None:
    project = projects.get().by_id.get(claimed.project_id)
    took: float | None = None  # in seconds
    try:
        message = _message(claimed, project)
        release_connection()
        called = time.perf_counter()
        try:
            receipt = providers.send(message=message, sender=sender)
        finally:
            took = time.perf_counter() - called
    except SendError as error:
        outcome = error.reason.value
        call_evidence.note_failure(claimed, sender, error, begun)
        _handle_failure(claimed, error, provider=sender.provider)
    else:
        outcome = "accepted" if receipt.certain else "lost"
        _handle_receipt(claimed, receipt, begun=begun, project=project, provider=sender.provider)
        call_evidence.note_receipt(claimed, sender, receipt, known=known, begun=begun)
    if took is not None:
        metrics.PROVIDER_CALL.labels(sender.provider, outcome).observe(took)


def _sender(claimed: Claimed, known: Senders) -> SenderConfig:
    """The sender that the delivery was planned with; if it is gone, the one that serves its project now.

    Of a rehearsal the sandbox, and nobody else once it is over.
    """
    if claimed.is_test:
        return _sandbox(claimed)
    planned = known.by_id.get(claimed.sender_id) if claimed.sender_id else None
    if planned:
        return planned
    project = projects.get().by_id.get(claimed.project_id)
    first = route_of(project, claimed.phone).sender if project else ""
    sender = known.choose(claimed.project_id, claimed.channel, now=timezone.now(), first=first)
    if sender is None:
        raise SendError(FailureReason.NO_SENDER)
    # Reports are matched by sender, so it is written down before the provider knows of the message.
    Delivery.objects.filter(id=claimed.delivery_id).update(sender_id=sender.id)
    return sender


def _sandbox(claimed: Claimed) -> SenderConfig:
    sandbox = rehearsals.sender(claimed.project_id, claimed.phone, claimed.channel)
    if sandbox is None:
        raise SendError(FailureReason.NO_SENDER, detail="the rehearsal is over")
    return sandbox


def _message(claimed: Claimed, project: ProjectConfig | None) -> Message:
    if project is None:
        raise SendError(FailureReason.NO_SENDER, detail="its project is gone")
    code = _code(claimed)
    text = ""
    if claimed.channel is Channel.SMS:
        host = urlsplit(claimed.origin).hostname or ""
        text = sms_text(code=code, brand=project.name, host=host, language=claimed.language)
    return Message(
        delivery_id=claimed.delivery_id,
        phone=claimed.phone,
        code=code,
        language=claimed.language,
        text=text,
        valid_seconds=max(int((claimed.expires_at - timezone.now()).total_seconds()), 1),
        callback_origin=settings.AUTHSVC_PUBLIC_URL or claimed.origin,
    )


def _code(claimed: Claimed) -> str:
    try:
        return codes.derive(
            challenge_id=claimed.challenge_id,
            key_id=claimed.key_id,
            length=claimed.code_length,
            keys=settings.AUTHSVC_OTP_KEYS,
        )
    except codes.UnknownKey as error:
        raise SendError(FailureReason.BAD_REQUEST, detail="the key of its code is not configured") from error


def _skip_whatsapp(claimed: Claimed, sender: SenderConfig) -> bool:
    """Whether WhatsApp is skipped for a number that it did not know lately. Decided here and not at the start, which
    answers the same for every number. True: done with, nothing more to send."""
    if fallback.following(claimed.delivery_id, FailureReason.NOT_ON_CHANNEL) is None:
        return False
    log.info("delivery.whatsapp_skipped", channel=claimed.channel)
    now = timezone.now()
    failed = _fail(claimed, SendError(FailureReason.NOT_ON_CHANNEL), now)
    metrics.DELIVERIES.labels(claimed.channel, sender.provider, "failed", FailureReason.NOT_ON_CHANNEL).inc()
    if failed:
        fall_back(delivery_id=claimed.delivery_id, paid=True)
    return True


# The sender's health ----------------------------------------------------------------------------------


def _is_held_back(claimed: Claimed, sender: SenderConfig) -> bool:
    """Whether the sender's trouble keeps the message from it now. Without another channel only its throttle does.

    True: done with, nothing more to send now."""
    gate = health.gate(sender.id)
    now = timezone.now()
    if gate.verdict is Verdict.GO:
        return False
    soon = gate.at is not None and gate.at - claimed.created_at <= policy.PATIENCE
    if not soon and fallback.following(claimed.delivery_id, FailureReason.SKIPPED):
        _handle_failure(
            claimed, SendError(FailureReason.SKIPPED, detail=gate.verdict), provider=sender.provider
        )
        return True
    if gate.verdict is Verdict.SKIP:
        return False
    _postpone(claimed, at=gate.at or now, now=now)
    log.info("delivery.postponed", sender_id=str(sender.id))
    return True


def _postpone(claimed: Claimed, *, at: datetime, now: datetime) -> None:
    share = random.random()  # noqa: S311 # spreads a queue
    at = policy.postponement(at=at, waited=now - claimed.created_at, now=now, share=share)
    store.requeue(delivery_id=claimed.delivery_id, now=now, at=at, was_called=False)


def _lacks_templates(claimed: Claimed, sender: SenderConfig) -> bool:
    """Whether its template is refused in every language. Without another channel it is tried all the same.

    True: done with, nothing more to send."""
    if not fallback.following(claimed.delivery_id, FailureReason.SKIPPED):
        return False
    _handle_failure(claimed, SendError(FailureReason.SKIPPED, detail="no template"), provider=sender.provider)
    return True


# The outcome -----------------------------------------------------------------------------------------


def _handle_receipt(
    claimed: Claimed, receipt: Receipt, *, begun: datetime, project: ProjectConfig | None, provider: str
) -> None:
    """The window counts from the call, not from its answer: a provider that hangs costs the user no more."""
    now = timezone.now()
    seconds = route_of(project, claimed.phone).wait_seconds if project else 20
    wait = policy.window(channel=claimed.channel, wait_seconds=seconds)
    # The message is out, and is sent again unless this is recorded: nothing comes before it.
    acceptances.write(
        Acceptance(
            delivery_id=claimed.delivery_id,
            message_id=receipt.provider_message_id,
            template_language=receipt.template_language,
            at=now,
            due_at=begun + wait,
        )
    )
    if receipt.is_delivered:
        store.deliver(delivery_id=claimed.delivery_id, now=timezone.now())
    metrics.DELIVERIES.labels(claimed.channel, provider, "accepted", "").inc()
    metrics.reached(stage="accepted", channel=claimed.channel, challenge_id=claimed.challenge_id, at=now)
    log.info("delivery.accepted", channel=claimed.channel, certain=receipt.certain)


def _handle_failure(claimed: Claimed, error: SendError, *, provider: str) -> None:
    now = timezone.now()
    wait = policy.retry_after_failure(
        reason=error.reason,
        tries=claimed.tries,
        can_fall_back=fallback.following(claimed.delivery_id, error.reason) is not None,
    )
    log.warning(
        "delivery.failed",
        channel=claimed.channel,
        reason=error.reason,
        provider_code=error.provider_code,
        retry=wait is not None,
        alert=MEANINGS[error.reason].alert,
    )
    if wait is not None and now + wait < claimed.expires_at:
        _retry(claimed, error, now=now, at=now + wait)
    else:
        _give_up(claimed, error, provider=provider, now=now)


def _give_up(claimed: Claimed, error: SendError, *, provider: str, now: datetime) -> None:
    failed = _fail(claimed, error, now)
    metrics.DELIVERIES.labels(claimed.channel, provider, "failed", error.reason).inc()
    if error.reason is FailureReason.NOT_ON_CHANNEL and claimed.channel is Channel.WHATSAPP:
        updates.remember_missing(challenge_id=claimed.challenge_id, now=now)
    if failed:
        fall_back(delivery_id=claimed.delivery_id)


def _retry(claimed: Claimed, error: SendError, *, now: datetime, at: datetime) -> None:
    store.record_event(
        delivery_id=claimed.delivery_id,
        status=Status.QUEUED,
        reason=error.reason,
        provider_code=error.provider_code,
        now=now,
    )
    store.requeue(delivery_id=claimed.delivery_id, now=now, at=at, was_called=True)


def _fail(claimed: Claimed, error: SendError, now: datetime) -> bool:
    """Record that it did not go out, and tell the project. False when a report has moved it meanwhile."""
    with transaction.atomic():
        failed = store.fail(
            delivery_id=claimed.delivery_id,
            reason=error.reason,
            provider_code=error.provider_code,
            now=now,
            due_at=now + policy.FALLBACK_GRACE,
        )
        if failed:
            project_events.deliveries_failed([project_events.failure_of_call(claimed, error, at=now)])
    return failed
