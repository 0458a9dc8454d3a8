"""What has to happen before a client gets its code (OpenID Connect Core 3.1.2.1). Pure: values in, a step out."""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The first four are answered by a page or a code; the others are errors for the client."""

    LOGIN = "login"
    CHOOSE = "choose"
    CONSENT = "consent"
    GRANT = "grant"
    LOGIN_REQUIRED = "login_required"
    CONSENT_REQUIRED = "consent_required"


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """What the client asked for. Times are seconds since 1970."""

    prompt: frozenset[str]
    max_age: int | None
    # When we first showed a page for this request: a login or consent since then was given for it.
    asked_at: float | None


@dataclass(frozen=True, kw_only=True)
class Situation:
    auth_time: float | None  # None: not signed in
    is_expected_person: bool  # False: the client's hint names another person
    consented_at: float | None  # to these scopes; None: never
    is_first_party: bool
    now: float


def next_step(request: AuthorizationRequest, situation: Situation) -> Step:
    silent = "none" in request.prompt
    if situation.auth_time is None:
        return Step.LOGIN_REQUIRED if silent else Step.LOGIN
    has_logged_in = request.asked_at is not None and situation.auth_time >= request.asked_at
    if not situation.is_expected_person:
        # Signed in as another person for this very request: asking once more would loop.
        return Step.LOGIN_REQUIRED if silent or has_logged_in else Step.LOGIN
    is_too_old = request.max_age is not None and situation.now - situation.auth_time > request.max_age
    if ("login" in request.prompt or is_too_old) and not has_logged_in:
        return Step.LOGIN_REQUIRED if silent else Step.LOGIN
    if "select_account" in request.prompt and request.asked_at is None:
        return Step.CHOOSE
    if situation.is_first_party or _has_consent(request, situation.consented_at):
        return Step.GRANT
    return Step.CONSENT_REQUIRED if silent else Step.CONSENT


def _has_consent(request: AuthorizationRequest, consented_at: float | None) -> bool:
    """With `prompt=consent` only a consent to this very request counts."""
    if consented_at is None or "consent" not in request.prompt:
        return consented_at is not None
    return request.asked_at is not None and consented_at >= request.asked_at
