"""Proving a number without signing anybody in: the same judgement as of a login, and no user."""

import uuid

import pytest
from django.db import connection
from django.test import TestCase

from channels.types import Channel
from core import metrics
from core.errors import DomainError
from core.ids import new_id
from otp import services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    WrongCode,
    WrongPurpose,
)
from otp.models import Challenge, Delivery, PhoneRecord, Purpose
from otp.store import verify as store
from otp.types import Proven
from projects.config import ProjectConfig
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start, prove, verify
from users import services as user_services
from users.models import User


@pytest.fixture
def start(start: Start) -> Start:
    """Challenges that prove a number, unless a test says otherwise."""

    def begin(number: str = factories.PHONE, **fields: object) -> uuid.UUID:
        return start(number, **({"purpose": Purpose.ASSERTION} | fields))

    return begin


def refusal(challenge_id: uuid.UUID, code: str) -> DomainError:
    with pytest.raises(DomainError) as refused:
        prove(challenge_id, code)
    return refused.value


def test_the_right_code_proves_the_number(start: Start) -> None:
    challenge_id = start()

    proven = prove(challenge_id)

    assert type(proven) is Proven
    assert (proven.challenge_id, proven.phone) == (challenge_id, factories.PHONE)
    assert (proven.is_test, proven.sms_sent) == (False, False)
    assert proven.at == Challenge.objects.get().verified_at
    assert factories.PHONE not in repr(proven)


def test_a_proof_makes_no_user(start: Start) -> None:
    challenge_id = start()
    prove(challenge_id)

    assert not User.objects.exists()


@pytest.mark.parametrize("active", [True, False])
def test_a_proof_neither_changes_nor_checks_a_user(start: Start, active: bool) -> None:
    first = start(purpose=Purpose.LOGIN)
    user_id = verify(first).user_id
    user_services.set_active(user_id=user_id, active=active)
    before = User.objects.values().get()

    with later(31):
        second = start()
        prove(second)

    assert User.objects.values().get() == before


def test_a_proof_consumes_the_challenge(start: Start) -> None:
    """A5"""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    prove(challenge_id, code)

    refused = refusal(challenge_id, code)
    assert isinstance(refused, ChallengeConsumed)
    assert refused.repeated
    assert [delivery.due_at for delivery in Delivery.objects.all()] == [None]


@pytest.mark.parametrize("purpose", [Purpose.LOGIN, Purpose.TEST_MESSAGE])
def test_what_was_begun_for_something_else_is_not_judged(start: Start, purpose: Purpose) -> None:
    """O9: neither the right code nor a wrong one, and no attempt is lost."""
    challenge_id = start(purpose=purpose)

    for code in (factories.wrong_code(challenge_id), factories.code_of(challenge_id)):
        assert isinstance(refusal(challenge_id, code), WrongPurpose)

    challenge = Challenge.objects.get()
    assert (challenge.attempts, challenge.verified_at) == (0, None)
    assert not PhoneRecord.objects.exists()


@pytest.mark.parametrize("purpose", [Purpose.ASSERTION, Purpose.TEST_MESSAGE])
def test_a_challenge_of_another_purpose_signs_no_one_in(start: Start, purpose: Purpose) -> None:
    """O9: and the code is still good for what it was sent for."""
    challenge_id = start(purpose=purpose)
    code = factories.code_of(challenge_id)

    for typed in (factories.wrong_code(challenge_id), code):
        with pytest.raises(WrongPurpose):
            verify(challenge_id, typed)

    assert Challenge.objects.get().attempts == 0
    assert not User.objects.exists()
    if purpose is Purpose.ASSERTION:
        assert prove(challenge_id, code).phone == factories.PHONE


def test_a_start_for_another_purpose_does_not_go_on_with_a_running_login(start: Start) -> None:
    """O9"""
    login = start(purpose=Purpose.LOGIN)

    with later(31):
        assert start(replaces=login) != login


def test_wrong_codes_count_as_ever(start: Start) -> None:
    """B1, B2, B7"""
    challenge_id = start()
    answers = [refusal(challenge_id, factories.wrong_code(challenge_id, nth)) for nth in range(5)]

    assert [type(answer) for answer in answers] == [*[WrongCode] * 4, ChallengeLocked]
    assert PhoneRecord.objects.get().wrong_guesses == 5
    assert isinstance(refusal(challenge_id, factories.code_of(challenge_id)), ChallengeLocked)


def test_a_proof_clears_the_count_of_its_number(start: Start) -> None:
    """B5"""
    challenge_id = start()
    refusal(challenge_id, factories.wrong_code(challenge_id))
    prove(challenge_id)

    assert PhoneRecord.objects.get().wrong_guesses == 0


def test_old_and_unknown_challenges_are_refused(start: Start) -> None:
    """A3"""
    challenge_id = start()
    code = factories.code_of(challenge_id)

    with later(601):
        assert isinstance(refusal(challenge_id, code), ChallengeExpired)
    assert isinstance(refusal(new_id(), code), ChallengeNotFound)


def test_a_test_number_is_proven_and_marked(start: Start, project: ProjectConfig) -> None:
    """A10"""
    TestNumber.objects.create(project_id=project.id, phone=factories.PHONE, code="424242", until="2999-01-01")
    challenge_id = start()

    assert prove(challenge_id, "424242").is_test


def test_an_sms_that_was_sent_is_told(start: Start) -> None:
    challenge_id = start()
    services.resend(challenge_id=challenge_id, address=factories.ADDRESS, channel=Channel.SMS)
    Delivery.objects.filter(channel="sms").update(tries=1)

    assert prove(challenge_id).sms_sent


def test_a_proof_is_counted_as_a_right_code_once_committed(start: Start) -> None:
    counter = metrics.GUESSES.labels("right")
    before = counter._value.get()
    challenge_id = start()

    with TestCase.captureOnCommitCallbacks() as after:
        prove(challenge_id)
    assert counter._value.get() == before
    for act in after:
        act()
    assert counter._value.get() == before + 1


@pytest.mark.parametrize("user_id", [None, new_id()], ids=["proves", "signs in"])
def test_the_statement_knows_who_signs_in(start: Start, user_id: uuid.UUID | None) -> None:
    """One statement for both on PostgreSQL, the portable form beside it."""
    challenge_id = start()
    challenge = Challenge.objects.get()
    guess = store.Guess(
        challenge_id=challenge_id,
        length=6,
        key_ids=[challenge.key_id],
        test_phones=[],
        new_user_id=user_id,
        now=challenge.created_at,
        purpose=Purpose.ASSERTION.value,
    )

    judged = store.judge(guess)

    assert judged
    assert judged.counted
    assert judged.is_right
    assert (judged.person.user_id if judged.person else None) == user_id
    assert User.objects.count() == (1 if user_id else 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_proof_is_one_statement_on_postgresql(start: Start) -> None:
    assert connection.vendor == "postgresql"
    challenge_id = start()
    code = factories.code_of(challenge_id)
    sent: list[str] = []

    def note(execute: object, sql: str, params: object, many: object, context: object) -> object:
        sent.append(sql.split(maxsplit=1)[0])
        return execute(sql, params, many, context)  # type: ignore[operator] # Django's wrapper protocol

    with connection.execute_wrapper(note):
        prove(challenge_id, code)

    assert sent.count("WITH") == 1
    assert set(sent) <= {"WITH", "SELECT"}  # without Redis the configuration's version is a row
