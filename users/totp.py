"""Codes of authenticator apps (RFC 6238): six digits, thirty seconds, one step of drift, none accepted twice."""

import base64
import secrets
import uuid
from datetime import datetime
from urllib.parse import quote, urlencode

from django.db import transaction
from django_otp.oath import TOTP

from core.fields import UnreadableSecret
from users import services
from users.factor_models import Totp
from users.models import User

DIGITS = 6
_STEPS_OF_DRIFT = 1
_SECRET_BYTES = 20


@transaction.atomic
def begin(user_id: uuid.UUID) -> str:
    """Make a new secret (base32) to be confirmed; one that was waiting for its first code is replaced, unread: its
    encryption key may be lost."""
    text = base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    User.objects.select_for_update().get(pk=user_id)
    Totp.objects.filter(user_id=user_id, is_confirmed=False).delete()
    Totp.objects.create(user_id=user_id, is_confirmed=False, secret=text, last_step=-1)
    return text


def waiting(user_id: uuid.UUID) -> str:
    """The secret, in base32, that waits for its first code; "" without one."""
    row = _row(user_id, is_confirmed=False)
    return row.secret if row else ""


def address(secret: str, *, name: str, issuer: str) -> str:
    """What the QR code holds."""
    label = quote(f"{issuer}:{name}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"


@transaction.atomic
def confirm(user_id: uuid.UUID, code: str, *, now: datetime) -> bool:
    """Whether the code is that of the waiting secret, which then takes the place of the one before. Then sessions end,
    since one of them may have been opened with that."""
    User.objects.select_for_update().get(pk=user_id)  # before its rows, as users.second_factors does
    row = _row(user_id, is_confirmed=False, lock=True)  # of two posts of one code the other finds none
    step = _step(row.secret, code, now=now, after=row.last_step) if row else None
    if row is None or step is None:
        return False
    if Totp.objects.filter(user_id=user_id, is_confirmed=True).delete()[0]:
        services.end_all_sessions(user_id=user_id)
    rows = Totp.objects.filter(pk=row.pk, is_confirmed=False)
    return bool(rows.update(is_confirmed=True, last_step=step))


def verify(user_id: uuid.UUID, code: str, *, now: datetime) -> bool:
    """Whether the code is right and new. Of several posts of one code, one is right."""
    row = _row(user_id, is_confirmed=True)
    step = _step(row.secret, code, now=now, after=row.last_step) if row else None
    if row is None or step is None:
        return False
    return bool(Totp.objects.filter(pk=row.pk, last_step__lt=step).update(last_step=step))


def _row(user_id: uuid.UUID, *, is_confirmed: bool, lock: bool = False) -> Totp | None:
    """None also where the encryption key of the secret is lost: another factor or a reset helps."""
    rows = Totp.objects.filter(user_id=user_id, is_confirmed=is_confirmed)
    try:
        return (rows.select_for_update() if lock else rows).first()
    except UnreadableSecret:
        return None


def _step(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The time step whose code this is, if that is later than `after`."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    judge = TOTP(base64.b32decode(secret), digits=DIGITS)
    judge.time = now.timestamp()
    is_right = judge.verify(int(code), tolerance=_STEPS_OF_DRIFT, min_t=after + 1)
    return int(judge.t()) if is_right else None
