"""What is said when something is refused or over."""

from dataclasses import replace

import pytest

from abuse.errors import RateLimited, Unavailable
from channels.types import Channel, Status
from core.errors import DomainError
from login.messages import errors as error_messages
from otp import errors
from otp.types import ChallengeView, EndReason, State
from tests.login.messages.deliveries import message, view

SENT = view(message(Channel.WHATSAPP, Status.SENT))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (45, "45 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (120, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
        (86_400, "24 hours"),
    ],
)
def test_waits_are_rounded_to_seconds_minutes_and_hours(seconds: int, said: str) -> None:
    assert error_messages.human_wait(seconds) == said


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (errors.WrongCode(attempts_left=4), 400, "You have 4 tries left"),
        (errors.WrongCode(attempts_left=1), 400, "You have 1 try left"),
        (errors.CountryNotAllowed(), 403, "Numbers of this country"),
        (errors.ChannelNotAllowed(), 403, "cannot be sent this way"),
        (RateLimited(wait_seconds=60), 429, "Please wait 60 seconds"),
        (Unavailable(), 503, "No code can be sent at the moment"),
    ],
)
def test_refusals_stay_on_the_page(error: DomainError, status: int, words: str) -> None:
    said = error_messages.refusal(error)

    assert said
    assert said.status == status
    assert words in said.text


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (errors.WrongCode(attempts_left=0), 423, "Too many wrong codes"),
        (errors.ChallengeLocked(), 423, "Too many wrong codes"),
        (errors.ChallengeExpired(), 410, "This code has expired"),
        (errors.ChallengeNotFound(), 410, "This code has expired"),
        (errors.UserBlocked(), 403, "This account is blocked"),
    ],
)
def test_ends_are_pages_of_their_own(error: DomainError, status: int, title: str) -> None:
    assert error_messages.refusal(error) is None
    assert (error_messages.end(error).status, error_messages.end(error).title) == (status, title)


@pytest.mark.parametrize(
    ("changes", "status", "title"),
    [
        ({"state": State.LOCKED}, 423, "Too many wrong codes"),
        ({"state": State.EXPIRED}, 410, "This code has expired"),
        ({"state": State.EXPIRED, "end_reason": EndReason.RESTARTED}, 410, "This sign-in has ended"),
        ({"state": State.EXPIRED, "end_reason": EndReason.CANCELLED}, 410, "This sign-in has ended"),
        ({"state": State.EXPIRED, "end_reason": EndReason.DISAVOWED}, 410, "This sign-in was stopped"),
        ({"state": State.EXPIRED, "end_reason": EndReason.IDENTITY_CHANGED}, 410, "This sign-in was stopped"),
    ],
)
def test_each_end_of_a_challenge_has_a_page_of_its_own(
    changes: dict[str, object], status: int, title: str
) -> None:
    over = error_messages.ended(replace(SENT, **changes))  # type: ignore[arg-type] # fields of a view

    assert over
    assert (over.status, over.title) == (status, title)


@pytest.mark.parametrize("state", [State.PENDING, State.VERIFIED])
def test_open_and_answered_challenges_have_no_end_page(state: State) -> None:
    assert error_messages.ended(replace(SENT, state=state)) is None


def test_view_explains_better_than_the_error() -> None:
    disavowed: ChallengeView = replace(SENT, state=State.EXPIRED, end_reason=EndReason.DISAVOWED)

    assert error_messages.end(errors.ChallengeExpired(), disavowed).title == "This sign-in was stopped"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RateLimited(wait_seconds=30), "Please wait 30 seconds"),
        (errors.ChannelNotAllowed(), "cannot be sent this way"),
        (Unavailable(), "at the moment"),
        (errors.ChallengeConsumed(repeated=False), "used already"),
        (errors.ChallengeExpired(), ""),  # the page says that by itself
    ],
)
def test_notices_survive_the_redirect(error: DomainError, words: str) -> None:
    assert words in error_messages.notice(error_messages.notice_of(error))


@pytest.mark.parametrize("word", ["", "nonsense", "rate_limited", "rate_limited:soon", "rate_limited:-1"])
def test_unknown_notices_say_nothing(word: str) -> None:
    assert error_messages.notice(word) == ""


def test_digits_of_a_code_are_named() -> None:
    assert error_messages.not_a_code(6) == "The code has 6 digits."
