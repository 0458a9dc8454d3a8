"""Limits before cost, as data: how much may be sent and guessed, and what a request is charged."""

import hashlib
import hmac
import ipaddress
import uuid
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from otp.limiter import Charge, Rule

_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# name → amount/period. AUTHSVC_LIMITS replaces single entries.
DEFAULT_RULES = {
    "send.number.hour": "5/1h",  # all channels and the automatic fallback together
    "send.number.day": "10/1d",
    "send.address": "60/10m",  # one IPv4 address or IPv6 /64: offices and carrier NAT share one
    "send.block": "300/10m",  # IPv4 /24, IPv6 /48
    "send.project": "20000/1d",
    "guess.number": "60/1h",
    "guess.address": "200/10m",
}


def parse_rule(name: str, text: str) -> Rule:
    """`5/1h` → a Rule. Raises ImproperlyConfigured."""
    amount, _, period = text.partition("/")
    if not (amount.isdigit() and period[:-1].isdigit() and period[-1:] in _PERIODS and int(period[:-1]) > 0):
        raise ImproperlyConfigured(f"AUTHSVC_LIMITS: {name} must look like 5/1h")
    return Rule(name=name, amount=int(amount), period_seconds=int(period[:-1]) * _PERIODS[period[-1]])


@lru_cache(maxsize=8)
def _rules(changes: tuple[tuple[str, str], ...]) -> dict[str, Rule]:
    unknown = [name for name, _ in changes if name not in DEFAULT_RULES]
    if unknown:
        raise ImproperlyConfigured(f"AUTHSVC_LIMITS: unknown {unknown[0]}; known: {', '.join(DEFAULT_RULES)}")
    return {name: parse_rule(name, text) for name, text in (DEFAULT_RULES | dict(changes)).items()}


def rules() -> dict[str, Rule]:
    """The rules in force. Raises ImproperlyConfigured for a wrong AUTHSVC_LIMITS."""
    return _rules(tuple(settings.AUTHSVC_LIMITS.items()))


# Subjects -----------------------------------------------------------------------------------------


def phone_key(*, project_id: uuid.UUID, phone: str) -> str:
    """A keyed digest that stands for a number wherever the number itself should not be."""
    return hmac.digest(
        settings.SECRET_KEY.encode(), b"limits:%b:%b" % (project_id.bytes, phone.encode()), "sha256"
    ).hex()[:24]


def address_subjects(address: str) -> tuple[str, str]:
    """The address (IPv6: its /64, what one customer holds) and its block (IPv4 /24, IPv6 /48)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown", "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    near, far = (32, 24) if ip.version == 4 else (64, 48)
    return tuple(str(ipaddress.ip_network((ip, bits), strict=False)) for bits in (near, far))  # type: ignore[return-value] # two of them


def start_charges(
    *, project_id: uuid.UUID, phone: str, address: str, resend_after_seconds: int, may_fall_back: bool
) -> list[Charge]:
    """For a start or a resend. Room is kept for the fallback, so that a code once begun also arrives."""
    number = phone_key(project_id=project_id, phone=phone)
    waits = [
        Charge(
            rule=Rule(
                name=f"send.number.wait{count}", amount=count, period_seconds=resend_after_seconds * factor
            ),
            subject=number,
        )
        for count, factor in ((1, 1), (2, 3), (3, 7))  # 30, then 60, then 120 seconds between sends
    ]
    return waits + _send_charges(
        project_id=project_id, number=number, address=address, need=2 if may_fall_back else 1
    )


def extra_charges(*, project_id: uuid.UUID, phone: str, address: str) -> list[Charge]:
    """For the first message over another channel: the fallback, or the user's switch. No waiting, but counted."""
    number = phone_key(project_id=project_id, phone=phone)
    return _send_charges(project_id=project_id, number=number, address=address, need=1)


def _send_charges(*, project_id: uuid.UUID, number: str, address: str, need: int) -> list[Charge]:
    known = rules()
    charges = [
        Charge(rule=known["send.number.hour"], subject=number, need=need),
        Charge(rule=known["send.number.day"], subject=number, need=need),
        Charge(rule=known["send.project"], subject=project_id.hex),
    ]
    if address:
        near, far = address_subjects(address)
        charges += [
            Charge(rule=known["send.address"], subject=near),
            Charge(rule=known["send.block"], subject=far),
        ]
    return charges


def guess_charges(*, number: str, address: str) -> list[Charge]:
    known = rules()
    charges = [Charge(rule=known["guess.address"], subject=address_subjects(address)[0])]
    return [*charges, Charge(rule=known["guess.number"], subject=number)] if number else charges


def form_key(*, form_token: str, project_id: uuid.UUID, phone: str) -> bytes:
    """What makes posts of one form with one number the same wish: 32 bytes.

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
