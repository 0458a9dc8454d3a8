"""Members of staff with factors, and what they do in a browser."""

import re
from datetime import datetime
from typing import Any

import pyotp
from django.test import Client
from django.utils import timezone

from tests.console.staff.authenticator import Authenticator
from users import recovery_codes, totp
from users.models import Totp, User

PASSWORD = "a long enough password"  # made up
HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"
SECOND, ENROL = "/admin/login/second-factor/", "/admin/login/enrol/"
SECURITY, CONFIRM = "/admin/security/", "/admin/security/confirm/"


def browser(address: str = HOME) -> Client:
    """At an address of its own, on a host that has passkeys."""
    return Client(headers={"host": "localhost"}, REMOTE_ADDR=address)


def with_app(name: str = "root", **fields: Any) -> User:
    """A superuser with an authenticator app whose codes were never used."""
    user = User.objects.create_user(name, PASSWORD, **{"is_superuser": True, **fields})
    Totp.objects.create(user=user, secret=pyotp.random_base32(), is_confirmed=True)
    return user


def code(user: User, *, at: datetime | None = None, steps: int = 0) -> str:
    """What the app shows, now or some steps of thirty seconds later."""
    secret = Totp.objects.get(user=user, is_confirmed=True).secret
    moment = at or timezone.now()
    return pyotp.TOTP(secret).at(int(moment.timestamp()) + 30 * steps)


def wrong(user: User) -> str:
    """Six digits that are right at no near time."""
    right = {code(user, steps=steps) for steps in range(-3, 4)}
    return next(text for text in map("{:06}".format, range(100)) if text not in right)


def password(client: Client, name: str = "root", **fields: str) -> Any:
    return client.post("/admin/login/", {"username": name, "password": PASSWORD, **fields})


def prove(client: Client, text: str, page: str = SECOND) -> Any:
    return client.post(page, {"code": text})


def sign_in(client: Client, user: User) -> Any:
    """Password and the app's code; a session that may do everything, also what asks for a fresh proof."""
    password(client, str(user.username))
    Totp.objects.filter(user=user).update(last_step=-1)  # so that tests need not wait for the next code
    answer = prove(client, code(user))
    assert answer.status_code == 302, answer.content
    return answer


def is_in(client: Client) -> bool:
    return bool(client.get("/admin/").status_code == 200)


def shown_codes(page: Any) -> list[str]:
    return re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", page.content.decode())


def add_passkey(client: Client, device: Authenticator, name: str = "Laptop") -> Any:
    """On the security page of who is signed in."""
    options = client.post(f"{SECURITY}passkey/").json()
    return client.post(f"{SECURITY}add/", {"name": name, "credential": device.create(options)})


def use_passkey(client: Client, device: Authenticator, page: str = SECOND) -> Any:
    options = client.post(f"{page}passkey/").json()
    return client.post(page, {"credential": device.get(options)})


def waiting_secret(user: User) -> str:
    return totp.waiting(user.pk)


def shown_secret(client: Client, page: str = ENROL) -> str:
    """Of the app that is being set up, as the page shows it; "" without one."""
    return str(client.get(page).context["secret"])


def new_recovery_codes(user: User) -> list[str]:
    return recovery_codes.renew(user.pk)
