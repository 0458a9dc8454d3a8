"""Decisions about tokens. Values in, values out."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

SCOPES = ("openid", "phone", "profile", "offline_access")
CLAIM_SCOPES = {
    "phone_number": "phone",
    "phone_number_verified": "phone",
    "updated_at": "profile",
}

CODE_VALID = timedelta(seconds=60)
# A person reads a message and types a code before the request comes back.
PUSHED_VALID = timedelta(minutes=15)
ACCESS_VALID = timedelta(hours=1)
ID_TOKEN_VALID = timedelta(hours=1)
# However often they are refreshed, tokens of one login end here (NIST SP 800-63B-4 2.1.3: 30 days).
FAMILY_VALID = timedelta(days=30)
# The same refresh token again within this time is the same wish, not a theft: it gets the same answer.
REFRESH_GRACE = timedelta(seconds=10)
# Keys that no longer sign are published until every token they signed is over, and clients' caches are too.
KEYS_CACHED = timedelta(minutes=5)
KEY_PUBLISHED_AFTER = ID_TOKEN_VALID + timedelta(hours=1)
# Old hints at log-out are believed as long as this.
KEY_KEPT = timedelta(days=90)
# What is over is kept for a while, so that the reuse of an old token is still told from a made-up one.
KEPT_AFTER_END = timedelta(days=1)

LOGOUT_RETRIES = (timedelta(seconds=2), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
LOGOUT_TOKEN_VALID = timedelta(minutes=2)


def amr(*, sms_sent: bool) -> tuple[str, ...]:
    """RFC 8176: a code; over the telephone network when an SMS carried it, which WhatsApp is not."""
    return ("otp", "sms") if sms_sent else ("otp",)


def known(scopes: Collection[str]) -> list[str]:
    """Those we know, in our order: others are ignored (OpenID Connect Core 3.1.2.1)."""
    return [scope for scope in SCOPES if scope in scopes]


def scopes_problem(scopes: Collection[str]) -> str:
    """What is wrong with the scopes that a client may ask for, in words, or nothing."""
    if not set(scopes) <= set(SCOPES):
        return _("must be from %(scopes)s") % {"scopes": ", ".join(SCOPES)}
    return "" if "openid" in scopes else _("must hold openid")


def covers(*, granted: Collection[str], asked: Collection[str]) -> bool:
    return set(asked) <= set(granted)


def next_logout_try(tries: int) -> timedelta | None:
    """How long after the `tries`-th failed notice the next one is made; None: no more."""
    return LOGOUT_RETRIES[tries - 1] if tries <= len(LOGOUT_RETRIES) else None


def wanting(scopes: Sequence[str]) -> frozenset[str]:
    """The claims beside `sub` that these scopes give."""
    return frozenset(claim for claim, scope in CLAIM_SCOPES.items() if scope in scopes)


def seconds_of(wait: timedelta) -> int:
    """As protocols write a wait."""
    return int(wait.total_seconds())
