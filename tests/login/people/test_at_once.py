"""Two members of staff, or staff and the person, at the same moment."""

from functools import partial

import pytest

from channels.types import Status
from login import erasure, people, sign_out
from otp import services
from otp.models import Challenge, Delivery
from otp.types import Verified
from tests import factories
from tests.login.people.support import NOTHING, THIRD_PHONE, Member, other_user
from tests.otp.conftest import verify
from tests.threads import at_once
from users import pseudonyms
from users.errors import NumberTaken, PersonGone
from users.models import User
from users.phones import read

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(results: list[object]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


def test_two_people_are_not_moved_to_one_number(member: Member) -> None:
    other = other_user(member)
    calls = [partial(people.move, user_id=user.id, phone=read(THIRD_PHONE)) for user in (member.user, other)]

    results = at_once(calls)

    assert outcomes(results) == ["NoneType", NumberTaken.__name__]

    assert User.objects.filter(phone=THIRD_PHONE).count() == 1
    assert User.objects.filter(phone__in=[factories.PHONE, factories.OTHER_PHONE]).count() == 1


def test_a_person_is_erased_once(member: Member) -> None:
    user = member.user

    results = at_once([partial(erasure.begin, user_id=user.id)] * 4)

    assert outcomes(results) == ["NoneType", *[PersonGone.__name__] * 3]


def test_two_users_are_merged_in_one_direction(member: Member) -> None:
    one, other = member.user, other_user(member)

    results = at_once(
        [
            partial(people.merge, kept_id=one.id, other_id=other.id, take_number=True),
            partial(people.merge, kept_id=other.id, other_id=one.id, take_number=True),
        ]
    )

    assert outcomes(results) == ["NoneType", PersonGone.__name__]
    assert User.objects.filter(deletion_began_at=None).count() == 1


def test_a_person_is_moved_or_erased_never_half_of_each(member: Member) -> None:
    user = member.user

    results = at_once(
        [
            partial(people.move, user_id=user.id, phone=read(THIRD_PHONE)),
            partial(erasure.begin, user_id=user.id),
        ]
    )

    user.refresh_from_db()
    moved, erased = (result is None for result in results)
    assert outcomes(results) in (["NoneType", PersonGone.__name__], ["NoneType"] * 2)
    assert pseudonyms.is_pseudonym(str(user.phone)) if erased else user.phone == THIRD_PHONE
    numbers = set(Challenge.objects.values_list("phone", flat=True))
    # Moved, perhaps a moment before they were erased: the challenges of the old number are not touched. Erased: they
    # name nobody.
    assert (numbers == {factories.PHONE}) is moved


def test_a_person_is_blocked_and_moved(member: Member) -> None:
    """Both happen, in whichever order."""
    user = member.user

    at_once(
        [
            partial(people.move, user_id=user.id, phone=read(THIRD_PHONE)),
            partial(sign_out.set_active, user_id=user.id, active=False),
        ]
    )

    user.refresh_from_db()
    assert (user.phone, user.is_active) == (THIRD_PHONE, False)
    assert member.works == NOTHING


def _start(member: Member) -> Challenge:
    """A second login of the person, under way."""
    from projects.config import projects

    project_id = member.user.project_id
    assert project_id
    Challenge.objects.update(created_at="2026-01-01T00:00:00Z")
    started = services.start_challenge(
        project=projects.get().by_id[project_id],
        phone=factories.phone(factories.OTHER_PHONE),
        language="en",
        origin=factories.ORIGIN,
        address="198.51.100.9",
    )
    return Challenge.objects.get(id=started.challenge_id)


@pytest.mark.parametrize("_round", range(3))
def test_a_login_and_an_erasure_leave_no_number_of_the_erased(_round: int, member: Member) -> None:
    """Whichever comes first: the login of the erased account is over, or the code is worth nothing."""
    user = other_user(member)
    challenge = _start(member)
    code = factories.code_of(challenge.id)

    _, erased = at_once([lambda: verify(challenge.id, code), partial(erasure.begin, user_id=user.id)])

    user.refresh_from_db()
    challenge.refresh_from_db()
    assert erased is None
    assert not user.is_active
    assert pseudonyms.is_pseudonym(challenge.phone)
    assert pseudonyms.is_pseudonym(str(user.phone))
    assert not User.objects.filter(phone=factories.OTHER_PHONE).exists()


@pytest.mark.parametrize("_round", range(3))
def test_a_report_and_an_erasure_do_not_stop_each_other(_round: int, member: Member) -> None:
    """They take their rows in the same order."""
    delivery = Delivery.objects.get()
    report = factories.report(delivery, Status.READ)

    results = at_once(
        [
            lambda: services.record_status_updates([report]),
            partial(erasure.begin, user_id=member.user.id),
        ]
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    assert Delivery.objects.get().status == Status.READ


@pytest.mark.parametrize("_round", range(3))
def test_a_login_while_the_person_is_moved_is_the_old_account_or_a_new_one(
    _round: int, member: Member
) -> None:
    """Never a session of the moved account for whoever holds the old number."""
    user = other_user(member)
    challenge = _start(member)
    code = factories.code_of(challenge.id)

    outcome, moved = at_once(
        [lambda: verify(challenge.id, code), partial(people.move, user_id=user.id, phone=read(THIRD_PHONE))]
    )

    assert moved is None
    assert isinstance(outcome, Verified)
    user.refresh_from_db()
    assert user.phone == THIRD_PHONE
    # Had it been the moved account, its session is of before the move, and over.
    assert outcome.user_id != user.id or outcome.session_salt != user.session_salt
