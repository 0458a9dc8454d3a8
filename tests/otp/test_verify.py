"""Judging codes: counted before judged, consumed once, counted per number too."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from otp import policy, services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    OtpError,
    RateLimited,
    UserBlocked,
    WrongCode,
)
from otp.models import Challenge, EndReason, PhoneRecord
from otp.types import Verified
from projects.config import ProjectConfig
from projects.ids import new_id
from tests import factories
from tests.clock import later
from tests.otp.conftest import Bells, Start
from users import services as user_services
from users.models import User


def verify(challenge_id: object, code: str) -> Verified:
    return services.verify_challenge(challenge_id=challenge_id, code=code, address=factories.ADDRESS)  # type: ignore[arg-type] # an id


def refusal(challenge_id: object, code: str) -> OtpError:
    with pytest.raises(OtpError) as refused:
        verify(challenge_id, code)
    return refused.value


def test_the_right_code_makes_a_user_at_the_first_login(start: Start, project: ProjectConfig) -> None:
    challenge_id = start()

    verified = verify(challenge_id, factories.code_of(challenge_id))

    user = User.objects.get()
    assert verified.is_new
    assert verified.user_id == user.id
    assert (user.project_id, user.phone, user.password) == (project.id, factories.PHONE, "")


def test_the_same_number_is_the_same_user_the_next_time(start: Start) -> None:
    """H12, H13."""
    first_id = start()
    first = verify(first_id, factories.code_of(first_id))

    with later(31):
        second_id = start()
        second = verify(second_id, factories.code_of(second_id))

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
    verify(challenge_id, factories.code_of(challenge_id))

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
def test_what_is_not_a_code_of_this_length_is_a_wrong_guess(start: Start, typed: str) -> None:
    """B6: counted whatever it looks like."""
    challenge_id = start()

    assert isinstance(refusal(challenge_id, typed), WrongCode)
    assert Challenge.objects.get(id=challenge_id).attempts == 1


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
        assert verify(challenge_id, factories.code_of(challenge_id))


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
    verified = verify(first, factories.code_of(first))
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


def test_a_login_is_there_whole_or_not_at_all(start: Start) -> None:
    challenge_id = start()

    def fail(_verified: Verified) -> None:
        raise RuntimeError("the session could not be written")

    with pytest.raises(RuntimeError):
        services.verify_challenge(
            challenge_id=challenge_id,
            code=factories.code_of(challenge_id),
            address=factories.ADDRESS,
            then=fail,
        )

    assert not User.objects.exists()
    assert verify(challenge_id, factories.code_of(challenge_id))


def test_success_stops_every_timer(start: Start, bells: Bells) -> None:
    """D4."""
    challenge_id = start()
    verify(challenge_id, factories.code_of(challenge_id))

    assert [delivery.due_at for delivery in factories.deliveries(challenge_id)] == [None]


def _miss(start: Start, wrong: int, *, at: int) -> OtpError | None:
    """`wrong` wrong guesses on a new challenge, `at` seconds from now."""
    last = None
    with later(at):
        challenge_id = start(address=f"198.51.100.{at % 250}")
        for nth in range(wrong):
            last = refusal(challenge_id, factories.wrong_code(challenge_id, nth))
    return last


def test_wrong_guesses_are_counted_per_number_across_challenges(start: Start) -> None:
    """B2: the tenth in a row, in a third browser, makes guessing wait; not the challenge alone."""
    _miss(start, 4, at=0)
    _miss(start, 4, at=40)
    assert PhoneRecord.objects.get().wrong_guesses == 8

    _miss(start, 2, at=200)
    with later(201):
        challenge_id = Challenge.objects.latest("id").id
        waiting = refusal(challenge_id, factories.code_of(challenge_id))

    assert isinstance(waiting, RateLimited)
    assert waiting.wait_seconds == 60


def test_the_owner_gets_in_once_the_wait_is_over(start: Start) -> None:
    """B4: a stranger's guesses slow the owner down, they do not lock the door."""
    PhoneRecord.objects.create(
        project_id=factories.make_project(slug="other", is_default=False).id,
        phone=factories.PHONE,
        wrong_guesses=9,
        updated_at=timezone.now(),
    )
    challenge_id = start()
    PhoneRecord.objects.update(project_id=Challenge.objects.get().project_id)
    refusal(challenge_id, factories.wrong_code(challenge_id))
    blocked = refusal(challenge_id, factories.code_of(challenge_id))

    with later(61):
        verified = verify(challenge_id, factories.code_of(challenge_id))

    assert isinstance(blocked, RateLimited)
    assert verified.is_new


def test_a_refused_guess_during_the_wait_costs_no_attempt(start: Start) -> None:
    challenge_id = start()
    PhoneRecord.objects.create(
        project_id=Challenge.objects.get().project_id,
        phone=factories.PHONE,
        wrong_guesses=10,
        blocked_until=timezone.now() + timedelta(seconds=60),
        updated_at=timezone.now(),
    )

    refusal(challenge_id, factories.wrong_code(challenge_id))

    assert Challenge.objects.get().attempts == 0


def test_a_login_clears_the_count_of_its_number(start: Start) -> None:
    """B5."""
    challenge_id = start()
    for nth in range(3):
        refusal(challenge_id, factories.wrong_code(challenge_id, nth))
    verify(challenge_id, factories.code_of(challenge_id))

    assert PhoneRecord.objects.get().wrong_guesses == 0


@pytest.mark.parametrize("wrong", [0, 8, 9, 10, 19, 29, 59, 98, 99, 100, 149])
def test_the_wait_in_the_database_is_that_of_the_policy(start: Start, wrong: int) -> None:
    """The SQL of one database and the portable form of the other follow one rule."""
    challenge_id = start()
    with time_machine.travel(timezone.now(), tick=False):
        now = timezone.now()
        PhoneRecord.objects.create(
            project_id=Challenge.objects.get().project_id,
            phone=factories.PHONE,
            wrong_guesses=wrong,
            updated_at=now,
        )
        refusal(challenge_id, factories.wrong_code(challenge_id))

    expected = policy.guess_wait(wrong + 1)
    record = PhoneRecord.objects.get()
    assert record.wrong_guesses == wrong + 1
    assert record.blocked_until == (now + expected if expected else None)


def test_guesses_go_on_without_the_limiters_store_because_the_database_counts_too(
    start: Start, settings: LazySettings
) -> None:
    challenge_id = start()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert isinstance(refusal(challenge_id, factories.wrong_code(challenge_id)), WrongCode)
    assert verify(challenge_id, factories.code_of(challenge_id))


def _at_once(count: int, act: object) -> list[object]:
    """Results of `count` calls of `act(n)`, begun together in threads with connections of their own."""
    from django.db import connection

    barrier = threading.Barrier(count)
    results: list[object] = []

    def run(nth: int) -> None:
        barrier.wait()
        try:
            results.append(act(nth))  # type: ignore[operator] # a callable
        except Exception as error:  # noqa: BLE001 # judged by the test
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(nth,)) for nth in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_right_answers_give_one_login(start: Start) -> None:
    """A6."""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    opened: list[Verified] = []

    results = _at_once(
        50,
        lambda _nth: services.verify_challenge(
            challenge_id=challenge_id, code=code, address=factories.ADDRESS, then=opened.append
        ),
    )

    winners = [result for result in results if isinstance(result, Verified)]
    assert len(winners) == len(opened) == 1
    assert {type(result) for result in results} == {Verified, ChallengeConsumed}
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_guessing_buys_nothing(start: Start) -> None:
    """B3: of 40 different wrong codes at once five are judged; then the right one is refused."""
    challenge_id = start()
    wrong = [factories.wrong_code(challenge_id, nth) for nth in range(40)]

    results = _at_once(40, lambda nth: verify(challenge_id, wrong[nth]))

    assert sum(isinstance(result, WrongCode) for result in results) == 4
    assert sum(isinstance(result, ChallengeLocked) for result in results) == 36
    assert Challenge.objects.get().attempts == 5
    assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), ChallengeLocked)
