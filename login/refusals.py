"""What the pages say when something is refused or over. Pure: an error or a state in, words and a status out."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from otp import errors
from otp.types import ChallengeView, State


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Said on the page where it happened. `wait_seconds` becomes Retry-After."""

    status: int
    text: str
    wait_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class End:
    """A login that cannot go on: a page of its own with a way to start again."""

    status: int
    title: str
    text: str


def human_wait(seconds: int) -> str:
    """A wait as people say it."""
    if seconds < 90:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = -(-minutes // 60)
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}


def too_soon(seconds: int) -> str:
    return _("Too many tries. Please wait %(wait)s.") % {"wait": human_wait(seconds)}


def wrong_code(attempts_left: int) -> str:
    text = ngettext(
        "That code is not right. You have %(count)d try left.",
        "That code is not right. You have %(count)d tries left.",
        attempts_left,
    )
    return text % {"count": attempts_left}


def not_a_code(length: int) -> str:
    return ngettext(
        "Type the %(count)d digit of the code.", "Type the %(count)d digits of the code.", length
    ) % {"count": length}


def refusal(error: errors.OtpError) -> Refusal | None:
    """What to say on the same page; None: the login is over (see `end`)."""
    match error:
        case errors.WrongCode(attempts_left=left) if left > 0:
            return Refusal(status=400, text=wrong_code(left))
        case errors.CountryNotAllowed():
            return Refusal(status=403, text=_("Numbers of this country cannot be used here."))
        case errors.ChannelNotAllowed():
            return Refusal(status=403, text=_("The code cannot be sent this way."))
        case errors.RateLimited(wait_seconds=wait):
            return Refusal(status=429, text=too_soon(wait), wait_seconds=wait)
        case errors.Unavailable():
            return Refusal(
                status=503, text=_("No code can be sent at the moment. Please try again in a minute.")
            )
    return None


def end(error: errors.OtpError, view: ChallengeView | None = None) -> End:
    """The page for a login that an error ended. `view` knows more about why, when it is at hand."""
    match error:
        case errors.ChallengeLocked() | errors.WrongCode():
            return _locked()
        case errors.UserBlocked():
            return End(
                status=403,
                title=_("This account is blocked"),
                text=_("It cannot be used to sign in. Please contact the people who run this service."),
            )
    return ended(view) or _expired()


def ended(view: ChallengeView | None) -> End | None:
    """The page for a challenge that is over; None while it is not, or when it was answered."""
    if view is None or view.state in (State.PENDING, State.VERIFIED):
        return None
    if view.state is State.LOCKED:
        return _locked()
    if view.end_reason == "disavowed":
        text = _("The owner of the phone told us that they did not ask for a code. Nothing was signed in.")
        return End(status=410, title=_("This sign-in was stopped"), text=text)
    if view.end_reason == "identity_changed":
        text = _("WhatsApp reports a change on this number, so the code was withdrawn for safety.")
        return End(status=410, title=_("This sign-in was stopped"), text=text)
    if view.end_reason:
        return End(
            status=410,
            title=_("This sign-in has ended"),
            text=_("A newer one took its place, or it was cancelled."),
        )
    return _expired()


def _locked() -> End:
    text = _("For your safety this code no longer works. Start again to get a new one.")
    return End(status=423, title=_("Too many wrong codes"), text=text)


def _expired() -> End:
    text = _("Codes work for a few minutes only. Start again to get a new one.")
    return End(status=410, title=_("This code has expired"), text=text)


def used() -> str:
    return _("That code was used already. Ask for a new one to sign in again.")


# Notices travel in the login cookie (login.pending) from one answer to the next page.


def notice_of(error: errors.OtpError) -> str:
    return f"{error.code}:{error.wait_seconds}" if isinstance(error, errors.RateLimited) else error.code


def notice(word: str) -> str:
    """The text of a notice; nothing for one that says nothing."""
    name, _separator, number = word.partition(":")
    if name == "rate_limited":
        return too_soon(int(number)) if number.isdigit() else ""
    if name == "challenge_consumed":
        return used()
    for kind in (errors.ChannelNotAllowed, errors.Unavailable):
        if kind.code == name:
            said = refusal(kind())
            return said.text if said else ""
    return ""
