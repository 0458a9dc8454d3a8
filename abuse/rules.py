"""Limits before cost, as data: how much may be sent and guessed, and who is counted.

Two sets of counters stand beside each other. Strangers share those of a number, of a range of numbers and of a
country; a browser that logged in with the number before (abuse.known_browsers) has counters of its own. What one set
holds never decides over the other. Which request is charged what: `abuse.charges`. Risk scoring, proofs of work and
budgets in money will be further rows and further columns here.
"""

import hashlib
import hmac
import math
import uuid
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from abuse.limiter import PERIODS, Rule
from abuse.throttle import CEILINGS
from core.addresses import block_of, network_of


class Who(StrEnum):
    """Whose requests a rule counts and limits."""

    STRANGERS = "strangers"
    KNOWN = "known browsers"
    EVERYBODY = "everybody"


@dataclass(frozen=True)
class Limit:
    """`default`: amount/period; the amount may be a share of that of `send.project`, but not less than `least`."""

    default: str
    who: Who
    subject: str
    _: KW_ONLY
    least: int = 0
    warns: bool = False  # at NEAR_PERCENT of it operator and project are notified


# Name → limit. AUTHSVC_LIMITS replaces the defaults of single entries.
LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        # All channels and the automatic fallback together.
        "send.number.hour": Limit("5/1h", Who.STRANGERS, "a number, in all projects"),
        "send.number.day": Limit("10/1d", Who.STRANGERS, "a number, in all projects"),
        "send.number.spare": Limit(
            "2/4h", Who.STRANGERS, "a number whose day is used up, from an address block that is new to it"
        ),
        "send.number.newcomer": Limit("2/1d", Who.STRANGERS, "an address block that is new to a number"),
        # One IPv4 address or IPv6 /64: offices and carrier NAT share one.
        "send.address": Limit("60/10m", Who.STRANGERS, "an IPv4 address, or an IPv6 /64"),
        "send.block": Limit("300/10m", Who.STRANGERS, "an IPv4 /24, or an IPv6 /48"),
        "send.range.hour": Limit(
            "0.2%/1h",
            Who.STRANGERS,
            "a range: the numbers of a project that differ in their last four digits only",
            least=40,
            warns=True,
        ),
        "send.range.day": Limit("0.5%/1d", Who.STRANGERS, "a range", least=100, warns=True),
        "send.range.accounts": Limit(
            "10/1h", Who.STRANGERS, "a range whose ceilings are reached, for its numbers with an account"
        ),
        "send.country": Limit(
            "50%/1d", Who.STRANGERS, "a country, in a project that allows several", warns=True
        ),
        "send.project": Limit("20000/1d", Who.EVERYBODY, "a project", warns=True),
        "send.known.hour": Limit("5/1h", Who.KNOWN, "a browser that logged in with the number before"),
        "send.known.day": Limit("10/1d", Who.KNOWN, "such a browser"),
        "send.known.number": Limit("20/1d", Who.KNOWN, "a number, in all its known browsers"),
        "send.known.address": Limit("60/10m", Who.KNOWN, "an IPv4 address, or an IPv6 /64"),
        # Test numbers cost no message, but a row each.
        "test.address": Limit("120/10m", Who.EVERYBODY, "starts with test numbers from an address"),
        "test.project": Limit("3000/1h", Who.EVERYBODY, "starts with a project's test numbers"),
        "guess.address": Limit("200/10m", Who.EVERYBODY, "guesses from an address"),
        "guess.number": Limit("60/1h", Who.STRANGERS, "wrong guesses for a number that were judged"),
        # Passwords of staff: those of strangers by address and name, a browser in which that name logged in by itself.
        "staff.address": Limit("20/10m", Who.STRANGERS, "passwords of staff, tried from an address"),
        "staff.name": Limit("10/10m", Who.STRANGERS, "passwords tried for a name of staff"),
        "staff.browser": Limit("10/10m", Who.KNOWN, "a browser in which that name logged in before"),
        "staff.browser.day": Limit("100/1d", Who.KNOWN, "second factors tried in such a browser"),
        # Codes of authenticator apps, tried by who typed the right password.
        "staff.factor": Limit("10/10m", Who.STRANGERS, "second factors tried for an account of staff"),
        "staff.factor.day": Limit("50/1d", Who.STRANGERS, "such an account"),
    }
)
DEFAULT_RULES: Mapping[str, str] = MappingProxyType({name: item.default for name, item in LIMITS.items()})

# Of the project's day a fifth is kept for numbers with an account and for known browsers.
KEPT_PART = 5
# Of what starts are counted against a sixth is kept for the fallbacks of logins that have begun.
FALLBACK_PART = 6
NEAR_PERCENT = 80
# While a number was guessed at, strangers begin nothing for it (otp.policy.guess_wait tells how long).
GUESS_WAIT = Rule(name="guess.number.wait", amount=1, period_seconds=3600)


def parse_rule(name: str, text: str, *, whole: int | None = None, least: int = 0) -> Rule:
    """`5/1h` → a Rule; `0.2%/1h`: a share of `whole`. Raises ImproperlyConfigured."""
    amount, _, period = text.partition("/")
    share = amount.endswith("%")
    number = amount.removesuffix("%")
    whole_number, dot, decimals = number.partition(".")
    is_number = text.isascii() and whole_number.isdigit() and (not dot or (share and decimals.isdigit()))
    if not (is_number and period[:-1].isdigit() and period[-1:] in PERIODS and int(period[:-1]) > 0):
        raise ImproperlyConfigured(f"AUTHSVC_LIMITS: {name} must look like 5/1h")
    if share:
        if whole is None:
            raise ImproperlyConfigured(f"AUTHSVC_LIMITS: {name} cannot be a share")
        count = max(math.floor(Fraction(number) * whole / 100), least)
    else:
        count = int(number)
    return Rule(name=name, amount=count, period_seconds=int(period[:-1]) * PERIODS[period[-1]])


type Changes = tuple[tuple[str, str], ...]


def changes() -> Changes:
    """AUTHSVC_LIMITS."""
    return tuple(settings.AUTHSVC_LIMITS.items())


@lru_cache(maxsize=8)
def _rules(changes: Changes) -> dict[str, Rule]:
    names = (*LIMITS, *CEILINGS)
    unknown = [name for name, _ in changes if name not in names]
    if unknown:
        raise ImproperlyConfigured(f"AUTHSVC_LIMITS: unknown {unknown[0]}; known: {', '.join(names)}")
    texts = dict(DEFAULT_RULES) | dict(changes)
    project = parse_rule("send.project", texts["send.project"])
    shares = {name for name, item in LIMITS.items() if "%" in item.default}
    return {
        name: parse_rule(
            name,
            text,
            whole=project.amount if name in shares else None,
            least=min(LIMITS[name].least, project.amount) if name in LIMITS else 0,
        )
        for name, text in texts.items()
    }


def rules(of: Changes | None = None) -> dict[str, Rule]:
    """The rules in force. Raises ImproperlyConfigured for a wrong AUTHSVC_LIMITS."""
    return _rules(changes() if of is None else of)


# Subjects -----------------------------------------------------------------------------------------


def phone_key(*, project_id: uuid.UUID, phone: str) -> str:
    """A keyed digest that stands for a number of a project wherever the number itself should not be."""
    return _digest(b"limits:%b:%b" % (project_id.bytes, phone.encode()), settings.SECRET_KEY)


def number_key(phone: str) -> str:
    """The same for a number in all projects."""
    return _digest(b"limits:%b" % phone.encode(), settings.SECRET_KEY)


@lru_cache(maxsize=64)
def _digest(text: bytes, secret: str) -> str:
    """Kept for a moment: a start needs that of its number for the limits, and again for the challenge's name."""
    return hmac.digest(secret.encode(), text, "sha256").hex()[:24]


def range_of(phone: str) -> str:
    """A number without its last four digits: what is bought and pumped together."""
    return phone[:-4]


def address_subjects(address: str) -> tuple[str, str]:
    """The address (IPv6: its /64, what one customer holds) and its block (IPv4 /24, IPv6 /48)."""
    return network_of(address), block_of(address)


def form_key(*, form_token: str, project_id: uuid.UUID, phone: str) -> bytes:
    """What makes posts of one form with one number the same request: 32 bytes.

    Our own tokens are UUIDv7, and their milliseconds stand in front: keys of one time are neighbours in the index, so
    that a start touches the same few pages of it however large it has grown.
    """
    digest = hashlib.blake2b(
        b"\0".join((form_token.encode(), project_id.bytes, phone.encode())),
        key=settings.SECRET_KEY.encode()[:64],
        digest_size=26,
    ).digest()
    return _milliseconds(form_token) + digest


def _milliseconds(token: str) -> bytes:
    """The first six bytes of a UUID; of anything else zeros."""
    try:
        return uuid.UUID(token).bytes[:6]
    except ValueError:
        return bytes(6)
