"""Codes are judged whole or not at all, and once, however many ask."""

import uuid
from functools import partial

import pytest
from django.db import connection

from otp import services
from otp.errors import (
    ChallengeConsumed,
)
from otp.models import Challenge
from otp.types import Verified
from tests import factories
from tests.otp.conftest import QueuedTasks, Start, verify
from tests.threads import at_once
from users.models import User


def _caller_that_fails(challenge_id: uuid.UUID, code: str) -> None:
    with services.verify_challenge(
        challenge_id=challenge_id, code=code, address=factories.ADDRESS
    ) as outcome:
        raise RuntimeError(type(outcome).__name__, connection.in_atomic_block)


@pytest.mark.django_db(transaction=True)
def test_a_login_is_there_whole_or_not_at_all(start: Start) -> None:
    challenge_id = start()

    with pytest.raises(RuntimeError, match=r"Verified.*True"):
        _caller_that_fails(challenge_id, factories.code_of(challenge_id))

    assert not User.objects.exists()
    assert verify(challenge_id)


@pytest.mark.django_db(transaction=True)
def test_a_wrong_code_stays_counted_whatever_its_caller_raises(start: Start) -> None:
    """B1: the outcome is handed out after the commit of the attempt."""
    challenge_id = start()

    with pytest.raises(RuntimeError, match=r"Refused.*False"):
        _caller_that_fails(challenge_id, factories.wrong_code(challenge_id))

    assert Challenge.objects.get().attempts == 1


def test_success_stops_every_timer(start: Start, queued: QueuedTasks) -> None:
    """D4."""
    challenge_id = start()
    verify(challenge_id)

    assert [delivery.due_at for delivery in factories.deliveries(challenge_id)] == [None]


@pytest.mark.django_db(transaction=True)
def test_fifty_concurrent_right_answers_give_one_login(start: Start) -> None:
    """A6."""
    challenge_id = start()
    code = factories.code_of(challenge_id)

    results = at_once([partial(verify, challenge_id, code)] * 50)

    assert sum(isinstance(result, Verified) for result in results) == 1
    assert {type(result) for result in results} == {Verified, ChallengeConsumed}
    assert User.objects.count() == 1
