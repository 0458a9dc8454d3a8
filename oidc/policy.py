"""Decisions about tokens and scopes. Pure: values in, values out."""

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
# Within this time the user has to log in: read a message and type a code.
PUSHED_VALID = timedelta(minutes=15)
# A browser's long request is stored while its user logs in.
STORED_REQUEST_VALID = timedelta(hours=1)
ACCESS_VALID = timedelta(hours=1)
ID_TOKEN_VALID = timedelta(hours=1)
# Tokens of one login end after this time however often they are refreshed (NIST SP 800-63B-4 2.1.3: 30 days).
FAMILY_VALID = timedelta(days=30)
# A refresh token that is repeated within this time is a client's retry, not a theft, and gets the same answer.
REFRESH_GRACE = timedelta(seconds=10)
# Retired keys are published until all tokens they signed and the caches of clients have expired.
KEYS_CACHED = timedelta(minutes=5)
KEY_PUBLISHED_AFTER = ID_TOKEN_VALID + timedelta(hours=1)
# An old `id_token_hint` is accepted at log-out for this long.
KEY_KEPT = timedelta(days=90)
# Expired rows are kept for a while, so that the reuse of an old token is recognized.
KEPT_AFTER_END = timedelta(days=1)

LOGOUT_RETRIES = (timedelta(seconds=2), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
LOGOUT_TOKEN_VALID = timedelta(minutes=2)


def known_scopes(scopes: Collection[str]) -> list[str]:
    """The scopes that we support, in our order; others are ignored (OpenID Connect Core 3.1.2.1)."""
    return [scope for scope in SCOPES if scope in scopes]


def scopes_problem(scopes: Collection[str]) -> str:
    """What is wrong with the scopes that a client may request, "" if nothing."""
    if not set(scopes) <= set(SCOPES):
        return _("must be from %(scopes)s") % {"scopes": ", ".join(SCOPES)}
    return "" if "openid" in scopes else _("must include openid")


def covers(*, granted: Collection[str], requested: Collection[str]) -> bool:
    return set(requested) <= set(granted)


def next_logout_try(tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th failed notice; None to give up."""
    return LOGOUT_RETRIES[tries - 1] if tries <= len(LOGOUT_RETRIES) else None


def claims_of(scopes: Sequence[str]) -> frozenset[str]:
    """The claims, besides `sub`, that these scopes grant."""
    return frozenset([claim for claim, scope in CLAIM_SCOPES.items() if scope in scopes])


def seconds_of(wait: timedelta) -> int:
    """Whole seconds, as the protocols write durations."""
    return int(wait.total_seconds())
