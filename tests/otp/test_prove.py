"""Proving a number without signing anybody in: the same judgement as of a login, and no user."""

import uuid

import pytest
from django.db import connection
from django.test import TestCase

from channels.types import Channel
from otp import services
from otp.errors import (
    ChallengeConsumed,
    ChallengeExpired,
    ChallengeLocked,
    ChallengeNotFound,
    OtpError,
    WrongCode,
)
from otp.models import Challenge, Delivery, PhoneRecord
from otp.store import verify as store
from otp.types import Proven, Verified
from projects import metrics
from projects.config import ProjectConfig
from projects.ids import new_id
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start
from users import services as user_services
from users.models import User


def prove(challenge_id: uuid.UUID, code: str) -> Proven:
    return services.prove_number(challenge_id=challenge_id, code=code, address=factories.ADDRESS)


def verify(challenge_id: uuid.UUID, code: str) -> Verified:
    return services.verify_challenge(challenge_id=challenge_id, code=code, address=factories.ADDRESS)


def refusal(challenge_id: uuid.UUID, code: str) -> OtpError:
    with pytest.raises(OtpError) as refused:
        prove(challenge_id, code)
    return refused.value


def test_the_right_code_proves_the_number(start: Start) -> None:
    challenge_id = start()

    proven = prove(challenge_id, factories.code_of(challenge_id))

    assert type(proven) is Proven
    assert (proven.challenge_id, proven.phone) == (challenge_id, factories.PHONE)
    assert (proven.is_test, proven.sms_sent) == (False, False)
    assert proven.at == Challenge.objects.get().verified_at
    assert factories.PHONE not in repr(proven)


def test_it_makes_no_user(start: Start) -> None:
    challenge_id = start()
    prove(challenge_id, factories.code_of(challenge_id))

    assert not User.objects.exists()


@pytest.mark.parametrize("active", [True, False])
def test_it_neither_touches_nor_asks_one(start: Start, active: bool) -> None:
    first = start()
    user_id = verify(first, factories.code_of(first)).user_id
    user_services.set_active(user_id=user_id, active=active)
    before = User.objects.values().get()

    with later(31):
        second = start()
        prove(second, factories.code_of(second))

    assert User.objects.values().get() == before


def test_it_consumes_the_challenge_for_both(start: Start) -> None:
    """A5"""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    prove(challenge_id, code)

    refused = refusal(challenge_id, code)
    assert isinstance(refused, ChallengeConsumed)
    assert refused.repeated
    with pytest.raises(ChallengeConsumed):
        verify(challenge_id, code)
    assert [delivery.due_at for delivery in Delivery.objects.all()] == [None]


def test_a_login_consumes_it_for_both(start: Start) -> None:
    """A5"""
    challenge_id = start()
    code = factories.code_of(challenge_id)
    verify(challenge_id, code)

    assert isinstance(refusal(challenge_id, code), ChallengeConsumed)


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
    prove(challenge_id, factories.code_of(challenge_id))

    assert PhoneRecord.objects.get().wrong_guesses == 0


def test_old_and_unknown_challenges_are_refused(start: Start) -> None:
    """A3"""
    challenge_id = start()
    code = factories.code_of(challenge_id)

    with later(301):
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

    assert prove(challenge_id, factories.code_of(challenge_id)).sms_sent


def test_it_is_counted_as_a_right_code_once_it_is_committed(start: Start) -> None:
    counter = metrics.GUESSES.labels("right")
    before = counter._value.get()
    challenge_id = start()

    with TestCase.captureOnCommitCallbacks() as after:
        prove(challenge_id, factories.code_of(challenge_id))
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
    )

    judged = store.judge(guess)

    assert judged
    assert judged.counted
    assert judged.right
    assert (judged.person.user_id if judged.person else None) == user_id
    assert User.objects.count() == (1 if user_id else 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_it_is_one_statement_on_postgresql(start: Start) -> None:
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
