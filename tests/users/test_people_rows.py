"""Rows of people: locked, given another number, retired. And accounts of staff beside them."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from projects.config import ProjectConfig
from tests import factories
from tests.threads import at_once
from tests.users.members import member, salt_of
from users import people, pseudonyms, services
from users.errors import NumberTaken, PersonGone, SameNumber
from users.models import User

pytestmark = pytest.mark.django_db
NOW = timezone.now()
NEW = "+85261234567"


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def ann(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.PHONE)


@pytest.fixture
def bob(project: ProjectConfig) -> User:
    return User.objects.create(project_id=project.id, phone=factories.OTHER_PHONE)


def test_people_come_in_the_order_asked_for(ann: User, bob: User) -> None:
    """Whichever row is locked first."""
    assert [list(people.locked(*ids)) for ids in ((ann.id, bob.id), (bob.id, ann.id))] == [
        [ann, bob],
        [bob, ann],
    ]


def test_of_several_one_who_is_gone_is_enough(ann: User, bob: User) -> None:
    """Unknown, being deleted, or one of the staff."""
    people.retire(bob, now=NOW)

    for gone in (uuid.uuid4(), bob.id, member("staff").id):
        for ids in ((gone,), (ann.id, gone), (gone, ann.id)):
            with pytest.raises(PersonGone):
                people.locked(*ids)


def test_another_number_is_the_only_change(ann: User) -> None:
    before = User.objects.filter(pk=ann.pk).values().get()
    ann.is_active = False  # not saved by anybody

    people.set_number(ann, NEW)

    assert User.objects.filter(pk=ann.pk).values().get() == before | {"phone": NEW}


def test_a_number_that_is_taken_stays_where_it_is(ann: User, bob: User) -> None:
    """And what else the transaction did stays, too."""
    with transaction.atomic():
        services.set_active(user_id=bob.id, active=False)
        with pytest.raises(NumberTaken):
            people.set_number(ann, factories.OTHER_PHONE)

    rows = dict(User.objects.values_list("id", "phone"))
    assert rows == {ann.id: factories.PHONE, bob.id: factories.OTHER_PHONE}
    assert not User.objects.get(pk=bob.pk).is_active


def test_the_own_number_is_none_to_move_to(ann: User) -> None:
    with pytest.raises(SameNumber):
        people.set_number(ann, factories.PHONE)


def test_a_number_of_another_project_is_free(ann: User) -> None:
    other = factories.make_project(slug="other", name="Other", is_default=False)
    User.objects.create(project_id=other.id, phone=NEW)

    people.set_number(ann, NEW)

    assert User.objects.filter(phone=NEW).count() == 2


def test_retiring_frees_the_number_and_ends_everything(ann: User, project: ProjectConfig) -> None:
    salt = salt_of(ann)

    people.retire(ann, now=NOW)

    kept = User.objects.get(pk=ann.pk)
    assert pseudonyms.is_pseudonym(str(kept.phone))
    assert (kept.is_active, kept.deletion_began_at, kept.project_id) == (False, NOW, project.id)
    assert kept.session_salt not in {salt, ""}
    assert User.objects.create(project_id=project.id, phone=factories.PHONE).id != ann.id


def test_many_are_retired_in_one_project(project: ProjectConfig) -> None:
    """No two get the same in place of their number, and it fits the column."""
    for number in range(50):
        person = User.objects.create(project_id=project.id, phone=f"+8525123{number:04}")
        people.retire(person, now=NOW)

    stood_in = set(User.objects.values_list("phone", flat=True))
    assert len(stood_in) == 50
    assert all(len(str(text)) <= 16 for text in stood_in)


def test_the_longest_retired_come_first(ann: User, bob: User, project: ProjectConfig) -> None:
    User.objects.create(project_id=project.id, phone=NEW)
    people.retire(ann, now=NOW)
    people.retire(bob, now=NOW - timedelta(seconds=1))

    assert people.retired() == [bob.id, ann.id]


@pytest.mark.django_db(transaction=True)
def test_two_people_locked_both_ways_at_once_wait_for_each_other(ann: User, bob: User) -> None:
    """Neither ends in a deadlock, and no change is lost."""

    def swap(first: User, second: User, number: str) -> None:
        with transaction.atomic():
            one, _two = people.locked(first.id, second.id)
            people.set_number(one, number)

    calls = [
        lambda nth=nth: swap(*((ann, bob) if nth % 2 else (bob, ann)), number=f"+8526123456{nth}")
        for nth in range(6)
    ]

    assert at_once(calls) == [None] * 6
    assert all(str(text).startswith("+8526123456") for text in User.objects.values_list("phone", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_number_goes_to_one_of_several_at_once(project: ProjectConfig) -> None:
    rivals = [User.objects.create(project_id=project.id, phone=f"+8525123456{nth}") for nth in range(4)]

    results = at_once([lambda user=user: people.set_number(user, NEW) for user in rivals])  # type: ignore[misc] # mypy: of lambdas with defaults

    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, NumberTaken) for result in results) == 3
    assert User.objects.filter(phone=NEW).count() == 1
