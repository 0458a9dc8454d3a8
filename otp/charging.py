"""Charge a message: the rules of its requester, relief at ceilings that many numbers share, and a notice to the
operator when such a ceiling comes near."""

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from abuse import charges, limiter, rules
from abuse.charges import Relief, Sending
from abuse.errors import RateLimited
from abuse.limiter import Charge, Charged
from core.redis import LocalStore
from otp import limit_notices
from otp.models import Challenge
from projects.config import ProjectConfig
from users.models import User
from users.phones import country_of

# How long a process keeps what it counted of a range: a run of refusals must not become a run of queries.
_KEPT_SECONDS = 10.0
_logins: LocalStore[tuple[uuid.UUID, str], tuple[float, int, int]] = LocalStore(max_entries=1000)


def sending(*, project: ProjectConfig, phone: str, country: str, address: str, browser: str) -> Sending:
    """A project with one country has no ceiling for it beside its own."""
    several = project.countries_allowed is None or len(project.countries_allowed) > 1
    return Sending(
        project_id=project.id,
        phone=phone,
        country=country if several else "",
        address=address,
        browser=browser,
    )


def sending_of(challenge: Challenge, *, project: ProjectConfig, address: str) -> Sending:
    """The same for one more message of a challenge."""
    return sending(
        project=project,
        phone=challenge.phone,
        country=country_of(challenge.phone),
        address=address,
        browser=challenge.browser,
    )


def charge(
    sending: Sending,
    rules_of: Callable[[Relief], Sequence[Charge]],
    *,
    once: str = "",
    candidate: uuid.UUID | None = None,
) -> Charged:
    """Charge what `rules_of` says. Raises RateLimited and Unavailable as the limiter does."""
    try:
        charged = limiter.charge(rules_of(Relief()), once=once, candidate=candidate)
    except RateLimited as refusal:
        if sending.browser or refusal.rule not in charges.SHARED:
            raise
        relief = _relief(sending)
        if relief == Relief():
            raise
        charged = limiter.charge(rules_of(relief), once=once, candidate=candidate)
    if charged.near:
        limit_notices.near(sending.project_id, charged.near)
    return charged


def _relief(sending: Sending) -> Relief:
    has_account = User.objects.filter(project_id=sending.project_id, phone=sending.phone).exists()
    hour, day = _logins_of(sending.project_id, rules.range_of(sending.phone))
    return Relief(has_account=has_account, logins_hour=hour, logins_day=day)


def _logins_of(project_id: uuid.UUID, place: str) -> tuple[int, int]:
    """How many numbers of a range logged in within the last hour, and the last day."""
    key, now = (project_id, place), time.time()
    kept = _logins.get(key)
    if kept is None or not 0 <= now - kept[0] < _KEPT_SECONDS:
        kept = (now, *_count_logins(project_id, place, timezone.now()))
        with _logins.lock:
            _logins.put(key, kept)
    return kept[1:]


def _count_logins(project_id: uuid.UUID, place: str, now: datetime) -> tuple[int, int]:
    counted = User.objects.filter(
        project_id=project_id, phone__gte=f"{place}0000", phone__lte=f"{place}9999"
    ).aggregate(
        hour=Count("id", filter=Q(last_login__gt=now - timedelta(hours=1))),
        day=Count("id", filter=Q(last_login__gt=now - timedelta(days=1))),
    )
    return counted["hour"], counted["day"]
