"""Sending one delivery: claim it, hand it to its provider, write down what came of it."""

import uuid
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.utils import timezone

from channels import services as channels
from channels.base import SenderConfig
from channels.errors import MEANINGS, SendError
from channels.senders import senders
from channels.texts import sms_text
from channels.types import FailureReason, Message, Receipt, Status
from otp import codes, fallback, policy
from otp.models import Delivery
from otp.store import claim as store
from otp.store.claim import Claimed
from projects.config import projects

log = structlog.get_logger(__name__)


def send_delivery(*, delivery_id: uuid.UUID) -> None:
    """Claim one delivery and hand it to its provider. Safe to call any number of times: only a claim sends."""
    begun = timezone.now()
    claimed = store.claim(delivery_id=delivery_id, now=begun, lease=policy.LEASE)
    if claimed is None:
        return
    try:
        receipt = channels.send(message=_message(claimed), sender=_sender(claimed))
    except SendError as error:
        _handle_failure(claimed, error)
    else:
        _handle_receipt(claimed, receipt, begun)


def _sender(claimed: Claimed) -> SenderConfig:
    """The sender that the delivery was planned with; if it is gone, the one that serves its project now."""
    known = senders.get()
    planned = known.by_id.get(claimed.sender_id) if claimed.sender_id else None
    if planned:
        return planned
    sender = known.for_project(claimed.project_id, claimed.channel)
    if sender is None:
        raise SendError(FailureReason.NO_SENDER)
    # Reports are matched by sender, so it is written down before the provider knows of the message.
    Delivery.objects.filter(id=claimed.delivery_id).update(sender_id=sender.id)
    return sender


def _message(claimed: Claimed) -> Message:
    project = projects.get().by_id.get(claimed.project_id)
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
        raise SendError(
            FailureReason.MISCONFIGURED, detail="the key of its code is not configured"
        ) from error
    return Message(
        delivery_id=claimed.delivery_id,
        phone=claimed.phone,
        code=code,
        language=claimed.language,
        text=sms_text(
            code=code,
            brand=project.name,
            host=urlsplit(claimed.origin).hostname or "",
            language=claimed.language,
        ),
        valid_seconds=max(int((claimed.expires_at - timezone.now()).total_seconds()), 1),
        callback_origin=settings.AUTHSVC_PUBLIC_URL or claimed.origin,
    )


def _handle_receipt(claimed: Claimed, receipt: Receipt, begun: datetime) -> None:
    """The wait for news counts from the call, not from its answer: a provider that hangs costs the user no more."""
    now = timezone.now()
    project = projects.get().by_id.get(claimed.project_id)
    wait = policy.window(
        channel=claimed.channel, wait_seconds=project.fallback_wait_seconds if project else 20
    )
    store.accept(
        delivery_id=claimed.delivery_id, message_id=receipt.provider_message_id, now=now, due_at=begun + wait
    )
    log.info(
        "delivery.accepted",
        delivery_id=str(claimed.delivery_id),
        challenge_id=str(claimed.challenge_id),
        channel=claimed.channel,
        certain=receipt.certain,
    )


def _handle_failure(claimed: Claimed, error: SendError) -> None:
    now = timezone.now()
    retry = policy.retry_after_failure(
        reason=error.reason,
        tries=claimed.tries,
        can_fall_back=fallback.next_channel(claimed.delivery_id, error.reason) is not None,
    )
    log.warning(
        "delivery.failed",
        delivery_id=str(claimed.delivery_id),
        challenge_id=str(claimed.challenge_id),
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
    failed = store.fail(
        delivery_id=claimed.delivery_id,
        reason=error.reason,
        provider_code=error.provider_code,
        now=now,
        due_at=now + policy.FOLLOW_UP_GRACE,
    )
    following = fallback.fall_back(delivery_id=claimed.delivery_id) if failed else None
    if following:
        send_delivery(delivery_id=following)
