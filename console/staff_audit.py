"""Who is acting in the admin, for the audit log, and what happens at its door."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from audit.actors import Actor, acting
from audit.kinds import Kind, Outcome
from audit.record import record, record_once, target_of
from audit.values import CHANGED, HIDDEN
from core.addresses import UNKNOWN, block_of
from users.models import User

# Of refusals without a judged password, which cost a stranger nothing, one in this time is recorded.
ONE_IN = timedelta(minutes=10)
WRONG_CODE = "wrong code of the app"
# Tries that the limits count: each is recorded.
_JUDGED = frozenset({"refused", WRONG_CODE})


@cache
def _admin() -> str:
    """Where the admin is. Every request of a page asks, and it never moves."""
    return reverse("admin:index")


class ActorMiddleware:
    """Whatever an address of the admin does is done by the member of staff who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(_admin()):
            return self.get_response(request)
        with acting(lambda: actor_of(request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Without a name before the sign-in: who types a username is not that person yet."""
    user = request.user
    address = str(request.META.get("REMOTE_ADDR", ""))
    known = address if block_of(address) != UNKNOWN else None
    if isinstance(user, User) and user.is_staff:
        return Actor(name=user.username or "", user_id=user.pk, address=known)
    return Actor(name="", address=known)


def signed_in(user: User) -> None:
    record(Kind.SIGNED_IN, user)


def signed_out(request: HttpRequest) -> None:
    """While the request still says who it is."""
    if isinstance(request.user, User) and request.user.is_staff:
        record(Kind.SIGNED_OUT, request.user)


def password_tried(request: HttpRequest, result: str) -> None:
    """One's own password: `changed`, or `refused` because the old one is wrong or the new one too weak."""
    if not isinstance(request.user, User):
        return
    if result == "changed":
        record(Kind.PASSWORD_CHANGED, request.user, before={"password": HIDDEN}, after={"password": CHANGED})
    else:
        record(Kind.PASSWORD_REFUSED, request.user, outcome=Outcome.REFUSED)


def factor_refused(request: HttpRequest, user: User, why: str) -> None:
    """A second factor at the sign-in, or of somebody signed in who is to confirm that it is them."""
    if request.user.is_authenticated:
        record_once(Kind.ACTED, target_of(user), within=ONE_IN, detail=why, outcome=Outcome.REFUSED)
    else:
        sign_in_refused(user, why)


def acted(user: User, detail: str) -> None:
    """Something that was done to an account of staff, in words."""
    record(Kind.ACTED, user, detail=detail)


def sign_in_refused(user: User | None, why: str) -> None:
    """`user` has the typed name, None: nobody has, and what was typed is not kept: it may be a password."""
    target = target_of(user) if user else None
    if why in _JUDGED:
        record(Kind.SIGN_IN_REFUSED, target, detail=why, outcome=Outcome.REFUSED)
    else:
        record_once(Kind.SIGN_IN_REFUSED, target, within=ONE_IN, detail=why, outcome=Outcome.REFUSED)
