"""The login that a browser is in the middle of: one signed cookie, no server session.

Whoever does not hold it has no challenge; a forged, foreign or old one counts as none.
"""

import uuid
from dataclasses import dataclass, replace

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from projects.config import ProjectConfig

_SALT = "login.pending"
_MAX_AGE = 30 * 60


@dataclass(frozen=True, kw_only=True)
class Pending:
    """`challenge_id` None: nothing is started, there is only something to say. `notice`: see login.wording."""

    challenge_id: uuid.UUID | None
    phone_key: str = ""
    next: str = ""
    notice: str = ""
    hint: str = ""  # a number that an application thinks the person has (login_hint)

    def saying(self, notice: str) -> "Pending":
        return replace(self, notice=notice)


NOTHING = Pending(challenge_id=None)


def read(request: HttpRequest, project: ProjectConfig) -> Pending:
    """What this browser is in the middle of, at this project."""
    try:
        value = signing.loads(
            request.COOKIES.get(settings.LOGIN_COOKIE_NAME, ""), salt=_SALT, max_age=_MAX_AGE
        )
        if value["p"] != project.id.hex:
            return NOTHING
        challenge_id = uuid.UUID(value["c"]) if value["c"] else None
        return Pending(
            challenge_id=challenge_id,
            phone_key=value["k"],
            next=value["n"],
            notice=value.get("m", ""),
            hint=value.get("h", ""),
        )
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        return NOTHING


def write(response: HttpResponse, project: ProjectConfig, pending: Pending) -> None:
    challenge = pending.challenge_id.hex if pending.challenge_id else ""
    value = {"p": project.id.hex, "c": challenge, "k": pending.phone_key, "n": pending.next}
    if pending.notice:
        value["m"] = pending.notice
    if pending.hint:
        value["h"] = pending.hint
    response.set_cookie(
        settings.LOGIN_COOKIE_NAME,
        signing.dumps(value, salt=_SALT, compress=True),
        max_age=_MAX_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def clear(response: HttpResponse) -> None:
    response.delete_cookie(settings.LOGIN_COOKIE_NAME, samesite="Lax")
