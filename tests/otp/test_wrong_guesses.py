"""Wrong guesses are counted per number across challenges, apart for strangers and known browsers."""

import uuid
from functools import partial

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from abuse.errors import RateLimited
from core.errors import DomainError
from core.ids import new_id
from otp import policy, services
from otp.errors import (
    ChallengeLocked,
    WrongCode,
)
from otp.models import Challenge, PhoneRecord
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start, verify
from tests.threads import at_once
from users.models import User


def refusal(challenge_id: uuid.UUID, code: str) -> DomainError:
    with pytest.raises(DomainError) as refused:
        verify(challenge_id, code)
    return refused.value


def _miss(start: Start, wrong: int, *, at: int) -> DomainError | None:
    """`wrong` wrong guesses on a new challenge, `at` seconds from now."""
    last = None
    with later(at):
        challenge_id = start(address=f"198.51.100.{at % 250}")
        for nth in range(wrong):
            last = refusal(challenge_id, factories.wrong_code(challenge_id, nth))
    return last


def test_wrong_guesses_are_counted_per_number_across_challenges(start: Start) -> None:
    """B2, B4, W1: the tenth in a row makes strangers wait before they begin; a challenge that is open stays so."""
    _miss(start, 4, at=0)
    _miss(start, 4, at=40)
    assert PhoneRecord.objects.get().wrong_guesses == 8

    with later(200):
        challenge_id = start(address="198.51.100.200")
        for nth in range(2):
            refusal(challenge_id, factories.wrong_code(challenge_id, nth))
        with pytest.raises(RateLimited) as waiting:
            start(address="192.0.2.1")
        verified = verify(challenge_id)

    assert waiting.value.wait_seconds == 60
    assert verified.is_new


def test_strangers_may_begin_again_once_the_wait_is_over(start: Start) -> None:
    """B4: a stranger's guesses slow strangers down, they do not lock the door."""
    challenge_id = start()
    _remember(wrong=9)
    refusal(challenge_id, factories.wrong_code(challenge_id))
    with pytest.raises(RateLimited):
        start()

    with later(61):
        again = start()
        verified = verify(again)

    assert verified.is_new


def _remember(*, wrong: int, **fields: int) -> None:
    PhoneRecord.objects.create(
        project_id=Challenge.objects.latest("id").project_id,
        phone=factories.PHONE,
        wrong_guesses=wrong,
        updated_at=timezone.now(),
        **fields,
    )


@pytest.mark.parametrize("wrong", [9, 59, 99, 100, 5000])
def test_the_right_code_in_an_open_challenge_always_opens_it(start: Start, wrong: int) -> None:
    """W1: whatever was done to the number meanwhile."""
    own = start()
    _remember(wrong=wrong)
    with later(40):
        theirs = start(address="198.51.100.1")
        refusal(theirs, factories.wrong_code(theirs))

        assert verify(own).phone == factories.PHONE


@pytest.mark.parametrize(("wrong", "attempts"), [(0, 5), (99, 5), (100, 1), (101, 1), (5000, 1)])
def test_after_a_hundred_wrong_guesses_a_strangers_challenge_takes_one_code(
    start: Start, wrong: int, attempts: int
) -> None:
    """W2, B2: strangers' guesses stay bounded, and whoever has the phone gets in."""
    first = start()
    _remember(wrong=wrong)
    services.cancel(challenge_id=first)
    with later(40):
        challenge_id = start()
        view = services.describe(challenge_id=challenge_id)
        assert view.attempts_left == Challenge.objects.get(id=challenge_id).max_attempts == attempts

        assert verify(challenge_id)
    assert PhoneRecord.objects.get().wrong_guesses == 0


def test_the_one_code_is_the_only_one(start: Start) -> None:
    first = start()
    _remember(wrong=100)
    services.cancel(challenge_id=first)
    with later(40):
        challenge_id = start()
        assert isinstance(refusal(challenge_id, factories.wrong_code(challenge_id)), ChallengeLocked)
        assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), ChallengeLocked)
    assert not User.objects.exists()


def test_a_login_clears_the_count_of_its_number(start: Start) -> None:
    """B5."""
    challenge_id = start()
    for nth in range(3):
        refusal(challenge_id, factories.wrong_code(challenge_id, nth))
    verify(challenge_id)

    assert PhoneRecord.objects.get().wrong_guesses == 0


@pytest.mark.parametrize("wrong", [0, 8, 9, 10, 19, 29, 59, 98, 99, 100, 149])
def test_strangers_wait_as_the_policy_says(start: Start, wrong: int) -> None:
    challenge_id = start()
    with time_machine.travel(timezone.now(), tick=False):
        _remember(wrong=wrong)
        refusal(challenge_id, factories.wrong_code(challenge_id))

    expected = policy.guess_wait(wrong + 1)
    assert PhoneRecord.objects.get().wrong_guesses == wrong + 1
    if expected is None:
        with later(40):
            assert start()
        return
    with later(expected.total_seconds() - 20), pytest.raises(RateLimited):
        start()
    with later(expected.total_seconds() + 1):
        assert start()


def test_a_browser_that_is_known_counts_its_own_wrong_guesses(start: Start) -> None:
    """W2: neither side's count is the other's."""
    stranger = start()
    refusal(stranger, factories.wrong_code(stranger))
    known = start(browser="b" * 24)
    for nth in range(2):
        refusal(known, factories.wrong_code(known, nth))

    record = PhoneRecord.objects.get()
    assert (record.wrong_guesses, record.known_wrong_guesses) == (1, 2)
    verify(known)
    record.refresh_from_db()
    assert (record.wrong_guesses, record.known_wrong_guesses) == (0, 0)


@pytest.mark.parametrize(("browser", "attempts"), [("", 5), ("b" * 24, 1)])
def test_the_bound_holds_for_known_browsers_by_their_own_count(
    start: Start, browser: str, attempts: int
) -> None:
    services.cancel(challenge_id=start())
    _remember(wrong=0, known_wrong_guesses=100)

    with later(40):
        challenge_id = start(browser=browser)

    assert Challenge.objects.get(id=challenge_id).max_attempts == attempts


def test_guesses_at_closed_challenges_count_for_the_address_only(
    start: Start, settings: LazySettings
) -> None:
    """W1: locked, expired, consumed, ended, unknown."""
    settings.AUTHSVC_LIMITS = {"guess.number": "6/1h"}
    locked, consumed, ended = start(), start(factories.OTHER_PHONE), start("+85251230003")
    for nth in range(5):
        refusal(locked, factories.wrong_code(locked, nth))
    verify(consumed)
    services.cancel(challenge_id=ended)
    before = PhoneRecord.objects.get().wrong_guesses

    for nth in range(12):
        for over in (locked, consumed, ended, new_id()):
            refusal(over, f"{nth:06}")

    assert PhoneRecord.objects.get().wrong_guesses == before == 5
    with later(40):
        for number in (factories.PHONE, factories.OTHER_PHONE, "+85251230003"):
            assert start(number)


def test_strangers_wait_when_the_judged_guesses_of_an_hour_are_used_up(
    start: Start, settings: LazySettings
) -> None:
    """W1: `guess.number` counts what was judged, and decides over what strangers begin."""
    settings.AUTHSVC_LIMITS = {"guess.number": "3/1h"}
    own = start()
    with later(40):
        theirs = start(address="198.51.100.1")
        for nth in range(3):
            refusal(theirs, factories.wrong_code(theirs, nth))
        with pytest.raises(RateLimited) as refused:
            start(address="192.0.2.1")
        assert refused.value.wait_seconds == 3600
        assert start(browser="b" * 24)
        assert start(factories.OTHER_PHONE)
        assert verify(own)


def test_guesses_of_the_hour_before_do_not_count(start: Start, settings: LazySettings) -> None:
    settings.AUTHSVC_LIMITS = {"guess.number": "3/1h"}
    first = start()
    for nth in range(2):
        refusal(first, factories.wrong_code(first, nth))
    with later(3700):
        second = start()
        for nth in range(2):
            refusal(second, factories.wrong_code(second, nth))
    with later(3800):
        assert start()


def test_the_guesses_of_a_known_browser_are_not_strangers_guesses(
    start: Start, settings: LazySettings
) -> None:
    settings.AUTHSVC_LIMITS = {"guess.number": "3/1h"}
    known = start(browser="b" * 24)
    for nth in range(4):
        refusal(known, factories.wrong_code(known, nth))

    assert start()


def test_guesses_go_on_without_the_limiters_store_because_the_database_counts_too(
    start: Start, settings: LazySettings
) -> None:
    challenge_id = start()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    assert isinstance(refusal(challenge_id, factories.wrong_code(challenge_id)), WrongCode)
    assert verify(challenge_id)


@pytest.mark.django_db(transaction=True)
def test_parallel_guessing_buys_nothing(start: Start) -> None:
    """B3: of 40 different wrong codes at once five are judged; then the right one is refused."""
    challenge_id = start()
    wrong = [factories.wrong_code(challenge_id, nth) for nth in range(40)]

    results = at_once([partial(verify, challenge_id, code) for code in wrong])

    assert sum(isinstance(result, WrongCode) for result in results) == 4
    assert sum(isinstance(result, ChallengeLocked) for result in results) == 36
    assert Challenge.objects.get().attempts == 5
    assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), ChallengeLocked)
