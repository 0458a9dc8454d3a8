"""Codes are judged: right, wrong, late, repeated, typed in many ways."""

import uuid

import pytest
from django.conf import LazySettings

from abuse.errors import RateLimited
from core.errors import DomainError
from core.ids import new_id
from otp import policy, services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    NotACode,
    UserBlocked,
    WrongCode,
)
from otp.models import Challenge, PhoneRecord
from otp.types import EndReason
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start, verify
from users import services as user_services
from users.models import User


def refusal(challenge_id: uuid.UUID, code: str) -> DomainError:
    with pytest.raises(DomainError) as refused:
        verify(challenge_id, code)
    return refused.value


def test_the_right_code_makes_a_user_at_the_first_login(start: Start, project: ProjectConfig) -> None:
    challenge_id = start()

    verified = verify(challenge_id)

    user = User.objects.get()
    assert verified.is_new
    assert verified.user_id == user.id
    assert (user.project_id, user.phone, user.password) == (project.id, factories.PHONE, "")


def test_the_same_number_is_the_same_user_the_next_time(start: Start) -> None:
    """H12, H13."""
    first_id = start()
    first = verify(first_id)

    with later(31):
        second_id = start()
        second = verify(second_id)

    assert second.user_id == first.user_id
    assert not second.is_new


@pytest.mark.parametrize("spelling", ["{0}{1}{2} {3}{4}{5}", "{0}{1}{2}-{3}{4}{5}", " {0}{1}{2}{3}{4}{5}\n"])
def test_spaces_and_dashes_do_not_matter(start: Start, spelling: str) -> None:
    """A13."""
    challenge_id = start()

    assert verify(challenge_id, spelling.format(*factories.code_of(challenge_id)))


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "\uff10"])
def test_digits_of_other_scripts_are_digits(start: Start, zero: str) -> None:
    """A13."""
    challenge_id = start()
    typed = "".join(chr(ord(zero) + int(digit)) for digit in factories.code_of(challenge_id))

    assert verify(challenge_id, typed)


def test_a_code_works_once(start: Start) -> None:
    """A5."""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    verify(challenge_id, code)

    with later(policy.REPEATED_VERIFY.total_seconds() + 1):
        refused = refusal(challenge_id, code)

    assert isinstance(refused, ChallengeConsumed)
    assert not refused.repeated


def test_the_same_right_code_within_seconds_is_told_to_be_a_repetition(start: Start) -> None:
    """G8: a double click is answered like the first, without a second login."""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    verify(challenge_id, code)

    refused = refusal(challenge_id, code)

    assert isinstance(refused, ChallengeConsumed)
    assert refused.repeated


def test_a_wrong_code_after_the_right_one_is_no_repetition(start: Start) -> None:
    challenge_id = start()
    verify(challenge_id)

    refused = refusal(challenge_id, factories.wrong_code(challenge_id))

    assert isinstance(refused, ChallengeConsumed)
    assert not refused.repeated


def test_wrong_codes_say_how_many_are_left_and_then_lock(start: Start) -> None:
    """B1: right code or not."""
    challenge_id = start()
    answers = [refusal(challenge_id, factories.wrong_code(challenge_id, nth)) for nth in range(5)]

    assert [getattr(answer, "attempts_left", None) for answer in answers] == [4, 3, 2, 1, None]
    assert isinstance(answers[-1], ChallengeLocked)
    assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), ChallengeLocked)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "typed", ["12345", "12345678901", "1234567", "0", "abcdef", "", "12 34\0", "1" * 10_000]
)
def test_what_cannot_be_the_code_is_no_guess(start: Start, typed: str) -> None:
    """N5: nothing is counted for it, neither at the challenge nor at the number."""
    challenge_id = start()

    answer = refusal(challenge_id, typed)

    assert isinstance(answer, NotACode)
    assert answer.length == 6
    assert Challenge.objects.get(id=challenge_id).attempts == 0
    assert not PhoneRecord.objects.exists()


@pytest.mark.parametrize("typed", ["1234567", "abc"])
def test_of_a_challenge_that_is_over_the_end_is_told_first(start: Start, typed: str) -> None:
    """N5."""
    expired, locked, answered = (
        start(),
        start(phone=factories.phone(factories.OTHER_PHONE)),
        start(phone=factories.phone("+85251230000")),
    )
    for nth in range(5):
        refusal(locked, factories.wrong_code(locked, nth))
    verify(answered)
    services.cancel(challenge_id=expired)

    assert isinstance(refusal(expired, typed), ChallengeExpired)
    assert isinstance(refusal(locked, typed), ChallengeLocked)
    assert isinstance(refusal(answered, typed), ChallengeConsumed)
    assert isinstance(refusal(uuid.uuid4(), typed), ChallengeNotFound)


def test_a_resend_does_not_give_new_guesses(start: Start) -> None:
    """A11."""
    challenge_id = start()
    for nth in range(4):
        refusal(challenge_id, factories.wrong_code(challenge_id, nth))

    with later(31):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS)
        answer = refusal(challenge_id, factories.wrong_code(challenge_id, 4))

    assert isinstance(answer, ChallengeLocked)


def test_an_expired_code_is_refused_however_right(start: Start, project: ProjectConfig) -> None:
    """A3, A4: a resend does not stretch it."""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    with later(project.otp_valid_seconds - 5):
        services.resend(challenge_id=challenge_id, address=factories.ADDRESS)

    with later(project.otp_valid_seconds + 5):
        assert isinstance(refusal(challenge_id, code), ChallengeExpired)


def test_a_code_is_good_until_the_end(start: Start, project: ProjectConfig) -> None:
    challenge_id = start()

    with later(project.otp_valid_seconds - 5):
        assert verify(challenge_id)


def test_a_cancelled_challenge_takes_no_code(start: Start) -> None:
    challenge_id = start()
    code = factories.code_of(challenge_id)
    services.cancel(challenge_id=challenge_id)

    assert isinstance(refusal(challenge_id, code), ChallengeExpired)
    assert Challenge.objects.get().end_reason == EndReason.CANCELLED


def test_the_code_of_another_challenge_is_refused(start: Start) -> None:
    """A7."""
    mine, theirs = start(), start(factories.OTHER_PHONE)

    assert isinstance(refusal(mine, factories.code_of(theirs)), WrongCode)


@pytest.mark.django_db
def test_an_unknown_challenge_is_not_found() -> None:
    assert isinstance(refusal(new_id(), "123456"), ChallengeNotFound)


def test_a_blocked_user_does_not_get_in(start: Start) -> None:
    first = start()
    verified = verify(first)
    user_services.set_active(user_id=verified.user_id, active=False)

    with later(31):
        second = start()
        refused = refusal(second, factories.code_of(second))

    assert isinstance(refused, UserBlocked)


def test_codes_of_an_older_key_are_still_accepted_while_it_is_configured(
    start: Start, settings: LazySettings
) -> None:
    """Key rotation: the first key makes new codes, all verify."""
    settings.AUTHSVC_OTP_KEYS = {"a": b"a" * 32}
    challenge_id = start()
    code = factories.code_of(challenge_id)

    settings.AUTHSVC_OTP_KEYS = {"b": b"b" * 32, "a": b"a" * 32}

    assert verify(challenge_id, code)


def test_codes_of_a_key_that_is_gone_are_wrong(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_OTP_KEYS = {"a": b"a" * 32}
    challenge_id = start()
    code = factories.code_of(challenge_id)

    settings.AUTHSVC_OTP_KEYS = {"b": b"b" * 32}

    assert isinstance(refusal(challenge_id, code), WrongCode)


def test_the_key_id_of_a_challenge_decides_not_just_any_key(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_OTP_KEYS = {"a": b"a" * 32, "b": b"b" * 32}
    challenge_id = start()
    Challenge.objects.filter(id=challenge_id).update(key_id="b")
    code_under_b = factories.code_of(challenge_id)
    Challenge.objects.filter(id=challenge_id).update(key_id="a")

    assert isinstance(refusal(challenge_id, code_under_b), WrongCode)


def test_limits_refuse_as_an_outcome_too(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"guess.address": "1/10m"}
    challenge_id = start()
    refusal(challenge_id, factories.wrong_code(challenge_id))

    assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), RateLimited)
    assert Challenge.objects.get().attempts == 1
