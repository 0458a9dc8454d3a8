"""Texts for refusals and ended logins. Pure: an error or a state in, a text and an HTTP status out."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from abuse.errors import RateLimited, Unavailable
from core.errors import DomainError
from otp import errors
from otp.types import ChallengeView, EndReason, State
from users.phones import InvalidPhone, PhoneProblem


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Shown on the page where it happened. `wait_seconds` becomes Retry-After."""

    status: int
    text: str
    wait_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class End:
    """A login that cannot continue. It has a page of its own, which offers a new code where that may help."""

    status: int
    title: str
    text: str
    offers_code: bool = True


def human_wait(seconds: int) -> str:
    if seconds < 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = -(-minutes // 60)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}


def too_soon(seconds: int) -> str:
    """For messages. The person made no mistake, so this does not speak of tries."""
    return _("The next code cannot be sent yet. Please wait %(wait)s.") % {"wait": human_wait(seconds)}


def not_a_code(length: int) -> str:
    text = ngettext("The code has %(count)d digit.", "The code has %(count)d digits.", length)
    return text % {"count": length}


def phone_problem(problem: InvalidPhone, typed: str) -> str:
    """Why a number was refused, and what to correct."""
    if not typed.strip():
        return _("Type your mobile number.")
    match problem.problem:
        case PhoneProblem.LANDLINE | PhoneProblem.NO_MESSAGES:
            return _("This number cannot receive messages. Use a mobile number.")
        case PhoneProblem.NOT_POSSIBLE:
            return _("This number is too short or too long. Check the country and the number, please.")
    return _("This is not a mobile number. Check the country and the number, please.")


def refusal(error: DomainError, *, of_guess: bool = False) -> Refusal | None:
    """The text for the same page; None when the login has ended (see `end`)."""
    match error:
        case errors.WrongCode(attempts_left=left) if left > 0:
            text = ngettext(
                "That code is not right. You have %(count)d try left.",
                "That code is not right. You have %(count)d tries left.",
                left,
            )
            return Refusal(status=400, text=text % {"count": left})
        case errors.NotACode(length=length):
            return Refusal(status=400, text=not_a_code(length))
        case errors.CountryNotAllowed():
            return Refusal(status=403, text=_("Numbers of this country cannot be used here."))
        case errors.ChannelNotAllowed():
            return Refusal(status=403, text=_("The code cannot be sent this way."))
        case RateLimited(wait_seconds=wait):
            text = too_soon(wait)
            if of_guess:
                text = _("Too many tries. Please wait %(wait)s.") % {"wait": human_wait(wait)}
            return Refusal(status=429, text=text, wait_seconds=wait)
        case Unavailable():
            text = _("No code can be sent at the moment. Please try again in a minute.")
            return Refusal(status=503, text=text)
    return None


def refusal_or_end(error: DomainError) -> Refusal:
    """For an answer that has no page of its own for an ended login."""
    shown = refusal(error)
    if shown:
        return shown
    over = end(error)
    return Refusal(status=over.status, text=over.text)


def end(error: DomainError | None, view: ChallengeView | None = None) -> End:
    """The page for a login that has ended, by an error or as `view` tells."""
    match error:
        case errors.ChallengeLocked() | errors.WrongCode():
            return _locked()
        case errors.UserBlocked():
            return End(
                status=403,
                title=_("This account is blocked"),
                text=_("It cannot be used to sign in. Please contact the people who run this service."),
                offers_code=False,
            )
    return ended(view) or _expired()


def ended(view: ChallengeView | None) -> End | None:
    """The page for a challenge that ended; None while it is pending, or when it was verified."""
    if view is None or view.state in (State.PENDING, State.VERIFIED):
        return None
    if view.state is State.LOCKED:
        return _locked()
    if view.end_reason is EndReason.DISAVOWED:
        text = _("The owner of the phone told us that they did not ask for a code. Nothing was signed in.")
        return End(status=410, title=_("This sign-in was stopped"), text=text, offers_code=False)
    if view.end_reason is EndReason.IDENTITY_CHANGED:
        text = _("WhatsApp reports a change on this number, so the code was withdrawn for safety.")
        return End(status=410, title=_("This sign-in was stopped"), text=text, offers_code=False)
    if view.end_reason:
        return End(
            status=410,
            title=_("This sign-in has ended"),
            text=_("A newer one took its place, or it was cancelled."),
        )
    return _expired()


def _locked() -> End:
    text = _("For your safety this code no longer works.")
    return End(status=423, title=_("Too many wrong codes"), text=text)


def _expired() -> End:
    text = _("Codes work for a few minutes only.")
    return End(status=410, title=_("This code has expired"), text=text)


# A notice goes in the login cookie (login.login_cookie) from one response to the next page.
SIGNED_OUT = "signed_out"


def notice_of(error: DomainError) -> str:
    return f"{error.code}:{error.wait_seconds}" if isinstance(error, RateLimited) else error.code


def notice(value: str) -> str:
    """The text of a notice; "" for an unknown one."""
    name, _separator, number = value.partition(":")
    if name == RateLimited.code:
        return too_soon(int(number)) if number.isdigit() else ""
    if name == errors.ChallengeConsumed.code:
        return _("That code was used already. Ask for a new one to sign in again.")
    if name == SIGNED_OUT:
        return _("You are signed out.")
    others = (refusal(kind()) for kind in (errors.ChannelNotAllowed, Unavailable) if kind.code == name)
    return next((shown.text for shown in others if shown), "")
