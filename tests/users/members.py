"""Members of staff, and what their authenticators answer without a page."""

from dataclasses import replace
from datetime import datetime

from django.db import connection
from django.utils import timezone

from tests.console.staff.authenticator import ORIGIN, Authenticator
from users import passkeys
from users.models import Passkey, User
from users.passkeys import Place

HERE = Place(rp_id="localhost", origin=ORIGIN)
ELSEWHERE = Place(rp_id="login.acme.example", origin="https://login.acme.example")
CHALLENGE = b"c" * 32


def member(name: str = "ann") -> User:
    """Without a usable password: none of these tests types one."""
    return User.objects.create_user(name)


def salt_of(user: User) -> str:
    """Sessions of the user end when it changes."""
    return User.objects.values_list("session_salt", flat=True).get(pk=user.pk)


def register(user: User, device: Authenticator, place: Place = HERE, name: str = "Laptop") -> Passkey:
    """At the origin of the place."""
    options = passkeys.registration_options(user_id=user.pk, name="ann", place=place, challenge=CHALLENGE)
    answer = replace(device, origin=place.origin).create(options)
    return passkeys.register(user_id=user.pk, name=name, place=place, challenge=CHALLENGE, answer=answer)


def answer_of(user: User, device: Authenticator, place: Place = HERE) -> str:
    options = passkeys.authentication_options(user_id=user.pk, place=place, challenge=CHALLENGE)
    return device.get(options)


def use(
    user: User,
    answer: str,
    place: Place = HERE,
    *,
    asked_at: datetime | None = None,
    now: datetime | None = None,
) -> Passkey:
    moment = now or timezone.now()
    return passkeys.verify(
        user_id=user.pk,
        place=place,
        challenge=CHALLENGE,
        asked_at=asked_at or moment,
        answer=answer,
        now=moment,
    )


def lose_encryption_key() -> None:
    """Every secret of an app is one that no configured key reads."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_totp SET secret = 'gAAAA-unreadable'")
