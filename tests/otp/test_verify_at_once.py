"""Codes are judged whole or not at all, and once, however many ask."""

from functools import partial

import pytest
from django.db import connection

from otp import services
from otp.errors import ChallengeConsumed, WrongCode
from otp.models import Challenge
from otp.types import Verified
from tests import factories
from tests.otp.conftest import QueuedTasks, Start, verify
from tests.threads import at_once
from users.models import User


def _fail(verified: Verified) -> None:
    raise RuntimeError(type(verified).__name__, connection.in_atomic_block)


@pytest.mark.django_db(transaction=True)
def test_a_login_is_there_whole_or_not_at_all(start: Start) -> None:
    challenge_id = start()

    with pytest.raises(RuntimeError, match=r"Verified.*True"):
        verify(challenge_id, opens=services.Opens(write=_fail))

    assert not User.objects.exists()
    assert verify(challenge_id)


@pytest.mark.django_db(transaction=True)
def test_a_wrong_code_is_counted_and_opens_nothing(start: Start) -> None:
    """B1"""
    challenge_id = start()

    with pytest.raises(WrongCode):
        verify(challenge_id, factories.wrong_code(challenge_id), opens=services.Opens(write=_fail))

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
