"""Start a challenge: check and charge the request, choose the channel, write challenge and first delivery."""

import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import structlog
from django.conf import settings
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from abuse import charges, limiter
from abuse import rules as limits
from abuse.errors import RateLimited
from channels import languages, rehearsals
from channels.senders import Senders, senders
from channels.types import Channel, Status
from core import metrics, sql
from core.errors import DomainError
from core.ids import new_id, seconds_of
from otp import charging, first_sender, policy, queue
from otp.challenge_view import of_new
from otp.errors import ChannelNotAllowed, CountryNotAllowed
from otp.models import Challenge, Purpose
from otp.resend import resend
from otp.routes import channels_of
from otp.store import start as start_store
from otp.types import ChallengeView, Started, State
from projects.config import ProjectConfig, projects
from projects.routing import Route
from users.phones import Phone, check_deliverable

log = structlog.get_logger(__name__)

_CONCURRENT_START_SECONDS = 2.0  # a repeated form waits so long for the first post of it to be committed


@dataclass(frozen=True, kw_only=True)
class StartRequest:
    """A start as its caller asked for it."""

    project: ProjectConfig
    phone: Phone
    language: str
    origin: str
    address: str
    start_key: bytes | None
    channel: Channel | None  # an explicit choice, which is never turned into another
    replaces: (
        uuid.UUID | None
    )  # this browser's earlier challenge: it goes on if it is of the same kind, or ends
    purpose: Purpose
    browser: str  # what a known one counts under (abuse.known_browsers); "": a stranger
    is_rehearsal: bool = False  # the number is being rehearsed: the sandbox takes the messages
    sender_id: uuid.UUID | None = None  # of the chosen channel: a test of this one sender

    @cached_property
    def route(self) -> Route:
        return self.project.route(self.phone.country)

    @cached_property
    def has_fixed_code(self) -> bool:
        number = self.project.test_numbers.get(self.phone.e164)
        return number is not None and number.until >= timezone.now().date()

    @cached_property
    def is_test(self) -> bool:
        return self.is_rehearsal or self.has_fixed_code  # no message of it reaches a provider

    @property
    def code_length(self) -> int:
        fixed = self.project.test_numbers[self.phone.e164].code if self.has_fixed_code else ""
        return len(fixed) or self.project.otp_length  # of a fixed code that cannot be read: any length

    @property
    def sending(self) -> charges.Sending:
        return charging.sending(
            project=self.project,
            phone=self.phone.e164,
            country=self.phone.country,
            address=self.address,
            browser=self.browser,
        )

    def started(self, challenge_id: uuid.UUID, *, view: ChallengeView | None = None) -> Started:
        """`view`: this call made it."""
        number = limits.phone_key(project_id=self.project.id, phone=self.phone.e164)
        return Started(challenge_id=challenge_id, phone_key=number, created=view is not None, view=view)


def start_challenge(  # noqa: PLR0913 # each says something else of a login
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
    browser: str = "",
    sender_id: uuid.UUID | None = None,
) -> Started:
    """Begin to prove `phone`: charge the limits, choose the channel, commit, enqueue. Never waits for a provider.

    The same `form_token` and phone give the same challenge, however often and in parallel; `StartRequest` says what
    the others mean. Raises InvalidPhone, CountryNotAllowed, ChannelNotAllowed, RateLimited, Unavailable.
    """
    request = StartRequest(
        project=project,
        phone=phone,
        language=languages.clean(language) or "en",
        origin=origin[:300],
        address=address,
        channel=channel,
        replaces=replaces,
        purpose=purpose,
        browser=browser,
        start_key=_start_key(project=project, phone=phone, form_token=form_token),
        is_rehearsal=rehearsals.running(project.id, phone.e164) is not None,
        sender_id=sender_id,
    )
    try:
        return _start(request)
    except DomainError as error:
        metrics.REFUSED.labels(error.code).inc()
        log.info("challenge.start_refused", why=error.code)
        raise


def started_before(*, project: ProjectConfig, phone: Phone, form_token: str) -> Started | None:
    """The challenge that this token and phone gave before, whatever became of it: for callers that repeat a request."""
    key = _start_key(project=project, phone=phone, form_token=form_token)
    challenge = Challenge.objects.filter(start_key=key).only("id").first() if key else None
    if challenge is None:
        return None
    number = limits.phone_key(project_id=project.id, phone=phone.e164)
    return Started(challenge_id=challenge.id, phone_key=number, created=False)


def _start_key(*, project: ProjectConfig, phone: Phone, form_token: str) -> bytes | None:
    if not form_token:
        return None
    return limits.form_key(form_token=form_token, project_id=project.id, phone=phone.e164)


def _start(request: StartRequest) -> Started:
    _check_allowed(request)
    running = _running(request, request.replaces) if request.replaces else None
    if running:
        _continue(request, running)
        return request.started(running.id)
    candidate = new_id()
    charged = _charge_start(request, candidate)
    if charged.first:
        duplicate = _concurrent_start(charged.first)
        if duplicate:
            return request.started(duplicate)
        request = replace(request, start_key=None)  # the challenge of that form is over: a new request
        charged = _charge_start(request, candidate)
    # The caller's project may be a moment old; the charge has read which configuration is in force.
    project = projects.get(charged.version).by_id.get(request.project.id, request.project)
    if project is not request.project:
        request = replace(request, project=project)
        _check_allowed(request)
    return _insert(request, candidate, senders.get(charged.version))


def _check_allowed(request: StartRequest) -> None:
    if not request.is_test:  # which never reaches a provider
        check_deliverable(request.phone, networks=request.project.networks_allowed)
        if not (request.phone.network or request.project.allows_country(request.phone.country)):
            raise CountryNotAllowed
    if request.channel and request.channel not in request.route.channels:
        raise ChannelNotAllowed


def _running(request: StartRequest, challenge_id: uuid.UUID) -> Challenge | None:
    """This browser's challenge, when it is still open and for the same number and purpose."""
    own = Challenge.objects.filter(project_id=request.project.id, phone=request.phone.e164)
    challenge = own.filter(id=challenge_id, purpose=request.purpose.value).first()
    return challenge if challenge and challenge.state(timezone.now()) is State.PENDING else None


def _charge_start(request: StartRequest, candidate: uuid.UUID) -> limiter.Charged:
    once = request.start_key.hex() if request.start_key else ""
    project = request.project
    if request.is_test:
        test_charges = charges.test_number(project_id=project.id, address=request.address)
        return limiter.charge(test_charges, once=once, candidate=candidate)
    sending = request.sending
    may_fall_back = request.route.falls_back and request.channel is None
    return charging.charge(
        sending,
        lambda relief: charges.start(
            sending,
            resend_after_seconds=project.resend_after_seconds,
            may_fall_back=may_fall_back,
            relief=relief,
        ),
        once=once,
        candidate=candidate,
    )


def _continue(request: StartRequest, challenge: Challenge) -> None:
    """The same number typed again: the same challenge. A message goes only once the resend wait is over, or at once
    over a channel that was asked for and has not been used yet."""
    waits = timezone.now() < challenge.resend_at
    if waits and request.channel is None:
        return
    try:
        resend(challenge_id=challenge.id, address=request.address, channel=request.channel)
    except RateLimited:
        if not waits:
            raise


def _concurrent_start(challenge_id: uuid.UUID) -> uuid.UUID | None:
    """The challenge that an equal form began a moment ago, once it is committed; None when it is over."""
    left = seconds_of(challenge_id) + _CONCURRENT_START_SECONDS - time.time()
    # One that is older is not waited for, however often its form is posted.
    deadline = time.monotonic() + min(left, _CONCURRENT_START_SECONDS)
    while True:
        challenge = Challenge.objects.filter(id=challenge_id).first()
        if challenge:
            return challenge_id if challenge.state(timezone.now()) is State.PENDING else None
        if time.monotonic() > deadline:
            return None  # the first post died before its commit; its form counts as new
        time.sleep(0.02)


def _insert(request: StartRequest, challenge_id: uuid.UUID, configured: Senders) -> Started:
    now = timezone.now()
    channel, sender_id = _first_message(request, configured, now)
    new = _new_challenge(request, challenge_id, channel=channel, sender_id=sender_id, now=now)
    attempts = start_store.insert_challenge(new)
    if attempts is None:
        duplicate = Challenge.objects.values_list("id", flat=True).get(start_key=request.start_key)
        return request.started(duplicate)
    bind_contextvars(challenge_id=str(new.id))
    metrics.count(metrics.STARTED, channel)
    log.info("challenge.started", channel=channel, test=new.is_test)
    if new.due_at:
        sql.after_commit(lambda: queue.enqueue_send(new.delivery_id))
    return request.started(new.id, view=of_new(new, attempts=attempts, channels=channels_of(request.route)))


def _first_message(
    request: StartRequest, configured: Senders, now: datetime
) -> tuple[Channel, uuid.UUID | None]:
    """The first channel and its sender, which a test number needs none of."""
    if request.is_test:
        return request.channel or channels_of(request.route)[0], None
    if request.sender_id:
        return first_sender.pinned(request.sender_id, configured)
    return first_sender.choose(request.project, request.route, configured, chosen=request.channel, now=now)


def _new_challenge(
    request: StartRequest,
    challenge_id: uuid.UUID,
    *,
    channel: Channel,
    sender_id: uuid.UUID | None,
    now: datetime,
) -> start_store.NewChallenge:
    project = request.project
    return start_store.NewChallenge(
        id=challenge_id,
        delivery_id=new_id(),
        project_id=project.id,
        purpose=request.purpose.value,
        phone=request.phone.e164,
        country=request.phone.country or request.phone.network,
        key_id=next(iter(settings.AUTHSVC_OTP_KEYS)),
        code_length=request.code_length,
        start_key=request.start_key,
        is_test=request.is_test,
        language=request.language,
        origin=request.origin,
        address=request.address or None,
        browser=request.browser,
        now=now,
        expires_at=now + timedelta(seconds=project.otp_valid_seconds),
        resend_at=now + policy.resend_wait(resend_after_seconds=project.resend_after_seconds, sends=1),
        max_attempts=project.max_attempts,
        channel=channel,
        chosen=request.channel is not None,
        sender_id=sender_id,
        status=Status.DELIVERED if request.has_fixed_code else Status.QUEUED,
        due_at=None if request.has_fixed_code else now + policy.ENQUEUE_GRACE,
        replaces=request.replaces,
    )
