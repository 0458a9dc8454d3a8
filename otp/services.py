"""The life of a challenge as its user moves it: start, resend, verify, cancel, describe; and what providers report.

This is what views and receivers call. Decisions are in `otp.policy`, hot writes in `otp.store`.
"""

import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from channels.senders import Senders, senders
from channels.types import Channel, Status
from otp import bell, limiter, limits, policy, transitions
from otp.errors import (
    ChannelNotAllowed,
    CountryNotAllowed,
    OtpError,
    RateLimited,
    Unavailable,
)
from otp.models import Challenge, EndReason, Purpose
from otp.reports import record_status_updates, revoke_disavowed
from otp.resending import resend
from otp.state import describe, of_new
from otp.store import start as start_store
from otp.types import ChallengeView, Started
from otp.verification import prove_number, verify_challenge
from projects import metrics
from projects.config import ProjectConfig, projects
from projects.ids import new_id
from users.phones import Phone

__all__ = [
    "cancel",
    "describe",
    "prove_number",
    "record_status_updates",
    "resend",
    "revoke_disavowed",
    "start_challenge",
    "started_before",
    "verify_challenge",
]

log = structlog.get_logger(__name__)

# A repeated form waits this long for the first post of it to be committed.
_TWIN_SECONDS = 2.0


def start_challenge(
    *,
    project: ProjectConfig,
    phone: Phone,
    language: str,
    origin: str,
    address: str,
    form_token: str = "",
    channel: Channel | None = None,
    replaces: uuid.UUID | None = None,
    purpose: Purpose = Purpose.LOGIN,
) -> Started:
    """Begin to prove `phone`: charge the limits, choose the channel, commit, ring. Never waits for a provider.

    The same `form_token` and phone give the same challenge, however often and in parallel. `replaces` is this
    browser's earlier challenge: when it is pending for the same number it goes on (no new message inside the resend
    wait), otherwise it is ended. `channel` is an explicit choice and is never turned into another.

    Raises CountryNotAllowed, ChannelNotAllowed, RateLimited, Unavailable.
    """
    wish = _Wish(
        project=project,
        phone=phone,
        language=language[:16],
        origin=origin[:300],
        address=address,
        channel=channel,
        replaces=replaces,
        purpose=purpose,
        start_key=_start_key(project=project, phone=phone, form_token=form_token),
    )
    try:
        return _start(wish)
    except OtpError as error:
        metrics.REFUSED.labels(error.code).inc()
        raise


def started_before(*, project: ProjectConfig, phone: Phone, form_token: str) -> Started | None:
    """The challenge that this token and phone gave before, whatever became of it: for callers that repeat a request
    until they see its answer. A form that is posted again after its challenge is over means a new one."""
    key = _start_key(project=project, phone=phone, form_token=form_token)
    found = Challenge.objects.filter(start_key=key).values_list("id", flat=True).first() if key else None
    number = limits.phone_key(project_id=project.id, phone=phone.e164)
    return Started(challenge_id=found, phone_key=number, created=False) if found else None


def _start_key(*, project: ProjectConfig, phone: Phone, form_token: str) -> bytes | None:
    if not form_token:
        return None
    return limits.form_key(form_token=form_token, project_id=project.id, phone=phone.e164)


def _start(wish: "_Wish") -> Started:
    _check_allowed(wish)
    earlier = _earlier(wish, wish.replaces) if wish.replaces else None
    if earlier:
        _go_on(wish, earlier)
        return wish.started(earlier.id)
    candidate = new_id()
    charged = _charge_start(wish, candidate)
    if charged.first:
        twin = _twin(charged.first)
        if twin:
            return wish.started(twin)
        wish = replace(wish, start_key=None)  # a form from before: its challenge is over, this is a new wish
        charged = _charge_start(wish, candidate)
    # The caller's project may be a moment old; the charge has just told which configuration is in force.
    wish = replace(wish, project=projects.get(charged.version).by_id.get(wish.project.id, wish.project))
    _check_allowed(wish)
    return _insert(wish, candidate, senders.get(charged.version))


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """A start as its caller asked for it."""

    project: ProjectConfig
    phone: Phone
    language: str
    origin: str
    address: str
    channel: Channel | None
    replaces: uuid.UUID | None
    purpose: Purpose
    start_key: bytes | None

    @property
    def is_test(self) -> bool:
        number = self.project.test_numbers.get(self.phone.e164)
        return number is not None and number.until >= timezone.now().date()

    def started(self, challenge_id: uuid.UUID, *, view: ChallengeView | None = None) -> Started:
        """`view`: this call made it."""
        number = limits.phone_key(project_id=self.project.id, phone=self.phone.e164)
        return Started(challenge_id=challenge_id, phone_key=number, created=view is not None, view=view)


def _check_allowed(wish: _Wish) -> None:
    if not wish.project.allows_country(wish.phone.country) and not wish.is_test:
        raise CountryNotAllowed
    if wish.channel and wish.channel not in wish.project.channels:
        raise ChannelNotAllowed


def _earlier(wish: _Wish, challenge_id: uuid.UUID) -> Challenge | None:
    """This browser's challenge, when it is still open and for the same number."""
    challenge = Challenge.objects.filter(
        id=challenge_id, project_id=wish.project.id, phone=wish.phone.e164
    ).first()
    return challenge if challenge and transitions.is_pending(challenge, timezone.now()) else None


def _charge_start(wish: _Wish, candidate: uuid.UUID) -> limiter.Charged:
    charges = limits.start_charges(
        project_id=wish.project.id,
        phone=wish.phone.e164,
        address=wish.address,
        resend_after_seconds=wish.project.resend_after_seconds,
        may_fall_back=wish.project.falls_back and wish.channel is None,
    )
    once = wish.start_key.hex() if wish.start_key else ""
    return limiter.charge([] if wish.is_test else charges, once=once, candidate=candidate)


def _go_on(wish: _Wish, challenge: Challenge) -> None:
    """The same number typed again: the same challenge. A message goes only once the resend wait is over, or at once
    over a channel that was asked for and has not been used yet."""
    waits = timezone.now() < challenge.resend_at
    if waits and wish.channel is None:
        return
    try:
        resend(challenge_id=challenge.id, address=wish.address, channel=wish.channel)
    except RateLimited:
        if not waits:
            raise


def _twin(challenge_id: uuid.UUID) -> uuid.UUID | None:
    """The challenge that an equal form began a moment ago, once it is committed; None when it is over."""
    deadline = time.monotonic() + _TWIN_SECONDS
    while True:
        challenge = Challenge.objects.filter(id=challenge_id).first()
        if challenge:
            return challenge_id if transitions.is_pending(challenge, timezone.now()) else None
        if time.monotonic() > deadline:
            return None  # the first post died before its commit; its form counts as new
        time.sleep(0.02)


def _insert(wish: _Wish, challenge_id: uuid.UUID, known: Senders) -> Started:
    now = timezone.now()
    plan = _plan(wish, known, now)
    project = wish.project
    new = start_store.NewChallenge(
        id=challenge_id,
        delivery_id=new_id(),
        project_id=project.id,
        purpose=wish.purpose.value,
        phone=wish.phone.e164,
        key_id=next(iter(settings.AUTHSVC_OTP_KEYS)),
        code_length=project.otp_length,
        start_key=wish.start_key,
        is_test=wish.is_test,
        language=wish.language,
        origin=wish.origin,
        address=wish.address or None,
        now=now,
        expires_at=now + timedelta(seconds=project.otp_valid_seconds),
        resend_at=now + policy.resend_wait(resend_after_seconds=project.resend_after_seconds, sends=1),
        max_attempts=project.max_attempts,
        channel=plan.channel,
        chosen=wish.channel is not None,
        sender_id=plan.sender_id,
        other_channel=plan.other_channel,
        other_sender_id=plan.other_sender_id,
        not_on_whatsapp_since=now - policy.NOT_ON_WHATSAPP_KEPT,
        status=Status.DELIVERED if wish.is_test else Status.QUEUED,
        due_at=None if wish.is_test else now + policy.RING_GRACE,
        replaces=wish.replaces,
    )
    channel = start_store.insert_challenge(new)
    if channel is None:
        twin = Challenge.objects.values_list("id", flat=True).get(start_key=wish.start_key)
        return wish.started(twin)
    bind_contextvars(challenge_id=str(new.id))
    metrics.STARTED.labels(channel).inc()
    log.info("challenge.started", channel=channel, test=new.is_test)
    if new.due_at:
        transaction.on_commit(lambda: bell.ring_send(new.delivery_id))
    return wish.started(new.id, view=of_new(new, channel=channel, project=project))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The first delivery, and the one that takes its place for a number that WhatsApp is known not to know."""

    channel: Channel
    sender_id: uuid.UUID | None
    other_channel: Channel | None = None
    other_sender_id: uuid.UUID | None = None


def _plan(wish: _Wish, known: Senders, now: datetime) -> _Plan:
    """The first channel and its sender. A test number needs none: it never reaches a provider."""
    promised = [Channel(name) for name in wish.project.channels]
    if wish.is_test:
        return _Plan(channel=wish.channel or promised[0], sender_id=None)
    found = {
        channel: sender
        for channel in promised
        if (sender := known.for_project(wish.project.id, channel)) is not None
    }
    may_choose = wish.channel is None and wish.project.falls_back
    first = wish.channel or policy.first_channel(
        promised=promised,
        available=found,
        failing=[item for item, sender in found.items() if may_choose and known.is_open(sender, now=now)],
    )
    if first is None or first not in found:
        log.error("challenge.no_sender", project=wish.project.slug)
        raise Unavailable("no sender for the channels that the project promises")
    if may_choose and first is Channel.WHATSAPP and Channel.SMS in found:
        return _Plan(
            channel=first,
            sender_id=found[first].id,
            other_channel=Channel.SMS,
            other_sender_id=found[Channel.SMS].id,
        )
    return _Plan(channel=first, sender_id=found[first].id)


def cancel(*, challenge_id: uuid.UUID) -> None:
    """The person gave up or wants another number: nothing more is sent. Safe to repeat."""
    transitions.end_challenges([challenge_id], reason=EndReason.CANCELLED)
