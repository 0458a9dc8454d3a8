"""What has to happen before a client gets its code (OpenID Connect Core 3.1.2.1). Pure: values in, a step out."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The first four are pages or the answer; the others are errors that go back to the client."""

    LOGIN = "login"
    CHOOSE = "choose"
    CONSENT = "consent"
    GRANT = "grant"
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the client asked for. Times are seconds since 1970."""

    prompt: frozenset[str]
    max_age: int | None
    # When this request was first answered with a page: what the person did since then was done for it.
    asked_at: float | None


@dataclass(frozen=True, kw_only=True)
class Situation:
    auth_time: float | None  # None: nobody is signed in
    is_expected_person: bool  # False: the client's hint names somebody else
    consented_at: float | None  # to these scopes; None: never
    is_first_party: bool
    now: float


def next_step(wish: Wish, found: Situation) -> Step:
    silent = "none" in wish.prompt
    if found.auth_time is None:
        return Step.LOGIN_REQUIRED if silent else Step.LOGIN
    has_answered = wish.asked_at is not None and found.auth_time >= wish.asked_at
    if not found.is_expected_person:
        # Whoever signs in as somebody else once more will not be asked a third time.
        return Step.LOGIN_REQUIRED if silent or has_answered else Step.LOGIN
    is_too_old = wish.max_age is not None and found.now - found.auth_time > wish.max_age
    if ("login" in wish.prompt or is_too_old) and not has_answered:
        return Step.LOGIN_REQUIRED if silent else Step.LOGIN
    if "select_account" in wish.prompt and wish.asked_at is None:
        return Step.CHOOSE
    return _consent(wish, found, silent=silent)


def _consent(wish: Wish, found: Situation, *, silent: bool) -> Step:
    if found.is_first_party:
        return Step.GRANT
    wants_it_anew = "consent" in wish.prompt
    since = (wish.asked_at if wish.asked_at is not None else found.now + 1) if wants_it_anew else 0
    if found.consented_at is not None and found.consented_at >= since:
        return Step.GRANT
    return Step.CONSENT_REQUIRED if silent else Step.CONSENT
