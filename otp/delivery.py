"""Sending one delivery: claim it, hand it to its provider, write down what came of it."""

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

from channels import health
from channels import services as channels
from channels.base import SenderConfig
from channels.breaker import Source, Verdict
from channels.errors import MEANINGS, SendError
from channels.senders import Senders, senders
from channels.texts import sms_text
from channels.types import Channel, FailureReason, Message, Receipt, Status
from events import sender_news
from otp import codes, fallback, news, policy
from otp.models import Delivery
from otp.store import claim as store
from otp.store import updates
from otp.store.claim import Claimed
from otp.store.sql import insist, release
from projects import metrics
from projects.config import ProjectConfig, current_version, projects

log = structlog.get_logger(__name__)


def send_delivery(*, delivery_id: uuid.UUID) -> None:
    """Claim one delivery and hand it to its provider. Safe to call any number of times: only a claim sends."""
    begun = timezone.now()
    claimed = store.claim(delivery_id=delivery_id, now=begun, lease=policy.LEASE)
    if claimed is None:
        return
    with bound_contextvars(delivery_id=str(delivery_id), challenge_id=str(claimed.challenge_id)):
        _send(claimed, begun)


def _send(claimed: Claimed, begun: datetime) -> None:
    version = current_version()
    project = projects.get(version).by_id.get(claimed.project_id)
    sender: SenderConfig | None = None
    took: float | None = None  # the provider's call, in seconds
    try:
        sender = _sender(claimed, senders.get(version))
        if claimed.troubled and _held_back(claimed, sender):
            return
        message = _message(claimed, project)
        release()
        called = time.perf_counter()
        try:
            receipt = channels.send(message=message, sender=sender)
        finally:
            took = time.perf_counter() - called
    except SendError as error:
        outcome = error.reason.value
        _note_failure(claimed, sender, error)
        _handle_failure(claimed, error, provider=sender.provider if sender else "")
    else:
        outcome = "accepted" if receipt.certain else "lost"
        _handle_receipt(claimed, receipt, begun=begun, project=project, provider=sender.provider)
        _note_receipt(claimed, sender, receipt)
    if sender and took is not None:
        metrics.PROVIDER_CALL.labels(sender.provider, outcome).observe(took)


def _sender(claimed: Claimed, known: Senders) -> SenderConfig:
    """The sender that the delivery was planned with; if it is gone, the one that serves its project now."""
    planned = known.by_id.get(claimed.sender_id) if claimed.sender_id else None
    if planned:
        return planned
    sender = known.for_project(claimed.project_id, claimed.channel)
    if sender is None:
        raise SendError(FailureReason.NO_SENDER)
    # Reports are matched by sender, so it is written down before the provider knows of the message.
    Delivery.objects.filter(id=claimed.delivery_id).update(sender_id=sender.id)
    return sender


def _message(claimed: Claimed, project: ProjectConfig | None) -> Message:
    if project is None:
        raise SendError(FailureReason.NO_SENDER, detail="its project is gone")
    try:
        code = codes.derive(
            challenge_id=claimed.challenge_id,
            key_id=claimed.key_id,
            length=claimed.code_length,
            keys=settings.AUTHSVC_OTP_KEYS,
        )
    except codes.UnknownKey as error:
        raise SendError(FailureReason.BAD_REQUEST, detail="the key of its code is not configured") from error
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


# The sender's health ----------------------------------------------------------------------------------


def _held_back(claimed: Claimed, sender: SenderConfig) -> bool:
    """Whether the sender's trouble keeps the message from it now. Without another channel only its pace does."""
    gate = health.gate(sender.id)
    now = timezone.now()
    if gate.verdict is Verdict.GO:
        return False
    soon = gate.at is not None and gate.at - claimed.created_at <= policy.PATIENCE
    if not soon and fallback.next_channel(claimed.delivery_id, FailureReason.SKIPPED):
        _handle_failure(
            claimed, SendError(FailureReason.SKIPPED, detail=gate.verdict), provider=sender.provider
        )
        return True
    if gate.verdict is Verdict.SKIP:
        return False
    at = policy.postponement(
        at=gate.at or now,
        waited=now - claimed.created_at,
        now=now,
        share=random.random(),  # noqa: S311 # spreads a queue
    )
    store.postpone(delivery_id=claimed.delivery_id, now=now, at=at)
    log.info("delivery.postponed", sender_id=str(sender.id))
    return True


def _note_receipt(claimed: Claimed, sender: SenderConfig, receipt: Receipt) -> None:
    """An answer that was lost speaks against the sender: providers that hang answer nothing."""
    if not receipt.certain:
        sender_news.failed(sender.id, source=Source.CALL, reason=FailureReason.UNAVAILABLE)
    elif claimed.troubled:
        sender_news.succeeded(sender.id, source=Source.CALL)


def _note_failure(claimed: Claimed, sender: SenderConfig | None, error: SendError) -> None:
    if sender is None:
        return
    if error.reason is FailureReason.RATE_LIMITED:
        health.slowed(sender.id)
    elif MEANINGS[error.reason].sender:
        sender_news.failed(
            sender.id, source=Source.CALL, reason=error.reason, provider_code=error.provider_code
        )
    elif claimed.troubled:
        sender_news.succeeded(sender.id, source=Source.CALL)  # it works; this one recipient does not


# What came of it --------------------------------------------------------------------------------------


def _handle_receipt(
    claimed: Claimed, receipt: Receipt, *, begun: datetime, project: ProjectConfig | None, provider: str
) -> None:
    """The wait for news counts from the call, not from its answer: a provider that hangs costs the user no more."""
    now = timezone.now()
    wait = policy.window(
        channel=claimed.channel, wait_seconds=project.fallback_wait_seconds if project else 20
    )
    # The message is out. If this is not written down it is sent again: nothing comes before it, and the database gets
    # some time to come back.
    insist(
        lambda: store.accept(
            delivery_id=claimed.delivery_id,
            message_id=receipt.provider_message_id,
            now=now,
            due_at=begun + wait,
        )
    )
    metrics.DELIVERIES.labels(claimed.channel, provider, "accepted", "").inc()
    metrics.reached(stage="accepted", channel=claimed.channel, challenge_id=claimed.challenge_id, at=now)
    log.info("delivery.accepted", channel=claimed.channel, certain=receipt.certain)


def _handle_failure(claimed: Claimed, error: SendError, *, provider: str) -> None:
    now = timezone.now()
    retry = policy.retry_after_failure(
        reason=error.reason,
        tries=claimed.tries,
        can_fall_back=fallback.next_channel(claimed.delivery_id, error.reason) is not None,
    )
    log.warning(
        "delivery.failed",
        channel=claimed.channel,
        reason=error.reason,
        provider_code=error.provider_code,
        retry=retry is not None,
        alert=MEANINGS[error.reason].alert,
    )
    if retry and now + retry.after < claimed.expires_at:
        store.record_event(
            delivery_id=claimed.delivery_id,
            status=Status.QUEUED,
            reason=error.reason,
            provider_code=error.provider_code,
            now=now,
        )
        store.reschedule(delivery_id=claimed.delivery_id, now=now, at=now + retry.after)
        return
    failed = _fail(claimed, error, now)
    metrics.DELIVERIES.labels(claimed.channel, provider, "failed", error.reason).inc()
    if error.reason is FailureReason.NOT_ON_CHANNEL and claimed.channel is Channel.WHATSAPP:
        updates.remember_missing(challenge_id=claimed.challenge_id, now=now)
    following = fallback.fall_back(delivery_id=claimed.delivery_id) if failed else None
    if following:
        send_delivery(delivery_id=following)


def _fail(claimed: Claimed, error: SendError, now: datetime) -> bool:
    """Write down that it did not go out, and tell the project. False when a report says otherwise."""
    with transaction.atomic():
        failed = store.fail(
            delivery_id=claimed.delivery_id,
            reason=error.reason,
            provider_code=error.provider_code,
            now=now,
            due_at=now + policy.FOLLOW_UP_GRACE,
        )
        if failed:
            failure = news.Failure(
                delivery_id=claimed.delivery_id,
                challenge_id=claimed.challenge_id,
                project_id=claimed.project_id,
                purpose=claimed.purpose,
                channel=claimed.channel,
                phone=claimed.phone,
                reason=error.reason,
                provider_code=error.provider_code[:20],
                at=now,
            )
            news.deliveries_failed([failure])
    return failed
