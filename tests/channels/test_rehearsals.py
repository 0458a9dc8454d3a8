"""Rehearsals: which run, who owns them, how they begin and end."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from channels import providers, rehearsals
from channels.models import Outcome, Rehearsal
from channels.types import Channel
from core.config_models import ConfigVersion
from projects.models import Project, TestNumber
from tests import factories
from tests.clock import later
from tests.threads import at_once
from users import fictional
from users.models import User

pytestmark = pytest.mark.django_db
KEY = "a-session"


@pytest.fixture
def project() -> Project:
    return Project.objects.get(id=factories.make_project(senders=False).id)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "x")


def start(project: Project, staff: User, **outcomes: Outcome) -> Rehearsal:
    chosen = {"whatsapp": Outcome.DELIVERED, "sms": Outcome.DELIVERED} | outcomes
    return rehearsals.start(project=project, staff=staff, session_key=KEY, **chosen)


def test_it_runs_for_half_an_hour(project: Project, ann: User) -> None:
    row = start(project, ann)
    assert rehearsals.running(project.id, row.phone)
    assert rehearsals.places() == [(project.id, row.phone)]

    with later(29 * 60):
        assert rehearsals.is_running(row, now=timezone.now())
        assert rehearsals.running(project.id, row.phone)
    with later(30 * 60 + 1):
        assert not rehearsals.is_running(row, now=timezone.now())
        assert rehearsals.running(project.id, row.phone) is None
        assert rehearsals.places() == []
        assert rehearsals.sender(project.id, row.phone, Channel.SMS) is None


def test_it_can_be_ended_once_and_twice(project: Project, ann: User) -> None:
    row = start(project, ann)
    rehearsals.end(row)
    ended = Rehearsal.objects.get().ended_at
    rehearsals.end(row)

    assert Rehearsal.objects.get().ended_at == ended
    assert rehearsals.running(project.id, row.phone) is None


def test_the_sandbox_takes_the_place_of_the_sender(project: Project, ann: User) -> None:
    row = start(project, ann, whatsapp=Outcome.SILENT, sms=Outcome.FAILED)

    for channel, outcome in ((Channel.WHATSAPP, "silent"), (Channel.SMS, "failed")):
        sender = rehearsals.sender(project.id, row.phone, channel)
        assert sender
        assert (sender.provider, sender.channel) == ("sandbox", channel)
        assert sender.settings.outcome == outcome  # type: ignore[attr-defined] # the sandbox's


def test_real_numbers_are_not_even_looked_up(
    project: Project, ann: User, django_assert_num_queries: object
) -> None:
    """A login costs nothing for it, and a row could not bring it about."""
    start(project, ann)
    rehearsals._running_now.clear()

    with django_assert_num_queries(0):  # type: ignore[operator] # pytest-django's
        assert rehearsals.running(project.id, factories.PHONE) is None


def test_the_table_takes_no_real_number(project: Project, ann: User) -> None:
    """K5: also where the code is wrong."""
    row = start(project, ann)

    with pytest.raises(IntegrityError), transaction.atomic():
        Rehearsal.objects.filter(pk=row.pk).update(phone=factories.PHONE)
    assert Rehearsal.objects.get().phone == row.phone


def test_a_second_one_of_the_same_person_ends_the_first(project: Project, ann: User) -> None:
    first, second = start(project, ann), start(project, ann)

    first.refresh_from_db()
    assert first.ended_at
    assert rehearsals.places() == [(project.id, second.phone)]


def test_two_people_rehearse_side_by_side(
    project: Project, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fictional, "NUMBERS", fictional.NUMBERS[:2])
    bob = User.objects.create_user("bob", "x")
    rows = [start(project, ann), start(project, bob)]

    assert rows[0].phone != rows[1].phone
    with pytest.raises(rehearsals.NoNumberFree):
        start(project, User.objects.create_user("eve", "x"))
    assert Rehearsal.objects.count() == 2


def test_a_number_is_free_again_after_its_end(
    project: Project, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fictional, "NUMBERS", fictional.NUMBERS[:1])
    first = start(project, ann)
    Rehearsal.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    ConfigVersion.bump()
    second = start(project, User.objects.create_user("bob", "x"))

    first.refresh_from_db()
    assert first.ended_at == first.ends_at
    assert second.phone == first.phone


def test_test_numbers_are_left_alone(project: Project, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fictional, "NUMBERS", fictional.NUMBERS[:2])
    TestNumber.objects.create(project=project, phone=fictional.NUMBERS[0], code="424242", until="2999-01-01")

    assert start(project, ann).phone == fictional.NUMBERS[1]


def test_the_owner_is_a_session_of_a_person(project: Project, ann: User) -> None:
    row, bob = start(project, ann), User.objects.create_user("bob", "x")

    assert rehearsals.is_owner(row, staff_id=ann.id, session_key=KEY)
    assert not rehearsals.is_owner(row, staff_id=ann.id, session_key="another")
    assert not rehearsals.is_owner(row, staff_id=bob.id, session_key=KEY)
    assert not rehearsals.is_owner(row, staff_id=None, session_key=KEY)
    ann.delete()
    row.refresh_from_db()
    assert not rehearsals.is_owner(row, staff_id=None, session_key=KEY)


def test_the_session_key_is_stored_as_a_hash(project: Project, ann: User) -> None:
    row = start(project, ann)

    assert KEY not in row.session_hash
    assert len(row.session_hash) == 64


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_get_different_numbers(
    project: Project, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fictional, "NUMBERS", fictional.NUMBERS[:2])
    bob = User.objects.create_user("bob", "x")

    rows = at_once([lambda: start(project, ann).phone, lambda: start(project, bob).phone])

    assert sorted(map(str, rows)) == list(fictional.NUMBERS)


def test_no_sender_can_name_the_sandbox() -> None:
    """Else codes of people could be played to nobody."""
    assert "sandbox" not in providers.PROVIDERS
    for channel in Channel:
        assert "sandbox" not in [provider.name for provider in providers.serving(channel)]
