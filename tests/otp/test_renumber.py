"""`manage.py renumber`: stored numbers follow their country; who is two people stays two people."""

import threading
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections
from django.utils import timezone

from otp import renumber as renumbering
from otp.models import Challenge, PhoneRecord
from projects.config import ProjectConfig, projects
from projects.models import TestNumber
from tests import factories
from tests.clock import later
from tests.otp.conftest import Start, verify
from users.models import User

OLD, NEW = "+2207012345", "+220877012345"
GABON = ("+24107123456", "+2417123456", "+24177123456")


def run(*flags: str) -> str:
    out = StringIO()
    call_command("renumber", *flags, stdout=out)
    return out.getvalue()


def phones_of(project: ProjectConfig) -> list[str | None]:
    """In the order in which the users were made."""
    return list(User.objects.filter(project_id=project.id).order_by("id").values_list("phone", flat=True))


def make_users(project: ProjectConfig, *numbers: str) -> list[User]:
    return [User.objects.create(project_id=project.id, phone=number) for number in numbers]


def test_users_move_and_stay_who_they_are(project: ProjectConfig) -> None:
    """N1."""
    user, other = make_users(project, OLD, factories.PHONE)

    assert "users: 1 moved\n" in run()

    user.refresh_from_db()
    other.refresh_from_db()
    assert (user.phone, other.phone) == (NEW, factories.PHONE)


def test_it_may_be_repeated(project: ProjectConfig) -> None:
    """N1."""
    make_users(project, OLD, GABON[0])
    run()
    before = phones_of(project)

    assert "users: 0 moved\n" in run()
    assert phones_of(project) == before == [NEW, GABON[2]]


def test_a_collision_is_printed_and_left(project: ProjectConfig) -> None:
    """N1: only people know whether two accounts are one person."""
    first, second = make_users(project, OLD, NEW)

    said = run()

    assert phones_of(project) == [OLD, NEW]
    assert "users: 0 moved, 1 left\n" in said
    assert str(first.id) in said
    assert str(second.id) in said
    assert OLD not in said
    assert NEW not in said


def test_of_two_old_spellings_the_older_account_moves(project: ProjectConfig) -> None:
    """N1."""
    older, newer = make_users(project, *GABON[:2])

    checked = run("--check")
    said = run()

    assert phones_of(project) == [GABON[2], GABON[1]]
    assert f"{newer.id} (" in said
    assert f"and {older.id} (" in said
    assert checked == said.replace(" moved", " would move")


def test_the_same_line_in_two_projects_are_two_users(project: ProjectConfig) -> None:
    """N1."""
    other = factories.make_project(slug="other", is_default=False)
    make_users(project, OLD)
    make_users(other, NEW)

    assert "users: 1 moved\n" in run()
    assert phones_of(project) == phones_of(other) == [NEW]


def test_check_only_prints(project: ProjectConfig, start: Start) -> None:
    """N1."""
    make_users(project, OLD)
    TestNumber.objects.create(project_id=project.id, phone=OLD, code="424242", until=date(2999, 1, 1))
    PhoneRecord.objects.create(project_id=project.id, phone=OLD, updated_at=timezone.now())
    Challenge.objects.filter(id=start()).update(phone=OLD)

    said = run("--check")

    for kind in ("users", "test numbers", "running challenges", "records of numbers"):
        assert f"{kind}: 1 would move\n" in said
    for model in (User, TestNumber, PhoneRecord, Challenge):
        assert model.objects.get().phone == OLD


def test_a_code_on_its_way_opens_the_account(project: ProjectConfig, start: Start) -> None:
    """N1: begun before the update, answered after it."""
    (user,) = make_users(project, OLD)
    challenge_id = start()
    Challenge.objects.filter(id=challenge_id).update(phone=OLD)
    run()

    verified = verify(challenge_id)

    assert (verified.user_id, verified.is_new, verified.phone) == (user.id, False, NEW)


def test_what_is_over_stays_as_it_was(start: Start) -> None:
    """N1: the delivery log says where a message went."""
    challenge_id = start()
    Challenge.objects.filter(id=challenge_id).update(phone=OLD)

    with later(3600):
        assert "running challenges: 0 moved\n" in run()

    assert Challenge.objects.get().phone == OLD


def test_a_test_number_works_on_at_once(project: ProjectConfig) -> None:
    """N1: processes hold test numbers in memory."""
    TestNumber.objects.create(project_id=project.id, phone=OLD, code="424242", until=date(2999, 1, 1))
    assert OLD in projects.get().by_id[project.id].test_numbers

    run()

    assert list(projects.get().by_id[project.id].test_numbers) == [NEW]


def test_what_is_remembered_of_both_spellings_is_remembered_of_the_line(project: ProjectConfig) -> None:
    """N1: the stricter of each."""
    now = timezone.now()
    PhoneRecord.objects.create(
        project_id=project.id,
        phone=OLD,
        wrong_guesses=12,
        known_wrong_guesses=95,
        blocked_until=now + timedelta(minutes=5),
        updated_at=now,
    )
    PhoneRecord.objects.create(
        project_id=project.id,
        phone=NEW,
        wrong_guesses=3,
        not_on_whatsapp_at=now,
        updated_at=now - timedelta(1),
    )

    assert "records of numbers: 1 moved\n" in run()

    record = PhoneRecord.objects.get()
    assert (record.phone, record.wrong_guesses, record.updated_at) == (NEW, 12, now)
    assert record.known_wrong_guesses == 95
    assert (record.blocked_until, record.not_on_whatsapp_at) == (now + timedelta(minutes=5), now)


def test_a_record_that_went_meanwhile_stops_nothing(
    project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purge, or an erasure, between the reading of a batch and its turn."""
    for phone in (OLD, NEW):
        PhoneRecord.objects.create(project_id=project.id, phone=phone, updated_at=timezone.now())
    merge = renumbering._merge_record

    def purged(move: renumbering.Move) -> None:
        PhoneRecord.objects.filter(phone=OLD).delete()
        merge(move)

    monkeypatch.setattr(renumbering, "_merge_record", purged)

    run()

    assert PhoneRecord.objects.get().phone == NEW


def test_a_record_that_came_meanwhile_is_merged(
    project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong guess under the present form, at the moment in which the old one moves there."""
    PhoneRecord.objects.create(project_id=project.id, phone=OLD, wrong_guesses=9, updated_at=timezone.now())
    merge, tried = renumbering._merge, list[int]()

    def once_too_early(move: renumbering.Move) -> None:
        tried.append(1)
        if len(tried) == 1:
            PhoneRecord.objects.create(project_id=project.id, phone=NEW, updated_at=timezone.now())
            raise IntegrityError
        merge(move)

    monkeypatch.setattr(renumbering, "_merge", once_too_early)

    run()

    record = PhoneRecord.objects.get()
    assert (record.phone, record.wrong_guesses) == (NEW, 9)


def test_a_record_of_one_spelling_moves(project: ProjectConfig) -> None:
    """N1."""
    PhoneRecord.objects.create(project_id=project.id, phone=OLD, wrong_guesses=4, updated_at=timezone.now())

    run()

    record = PhoneRecord.objects.get()
    assert (record.phone, record.wrong_guesses) == (NEW, 4)


def test_many_rows_are_read_in_pieces(project: ProjectConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """N1."""
    monkeypatch.setattr(renumbering, "_BATCH", 3)
    make_users(project, *(f"+22070123{number:02}" for number in range(10)))

    assert "users: 10 moved\n" in run()
    assert all(str(phone).startswith("+22087") for phone in phones_of(project))


@pytest.mark.django_db(transaction=True)
def test_somebody_who_takes_the_present_form_meanwhile_keeps_it() -> None:
    """N1: a login at the very moment."""
    project = factories.make_project()
    make_users(project, OLD)
    moves = renumbering.renumber()
    real = renumbering._moved
    takers: list[threading.Thread] = []

    def take() -> None:
        try:
            make_users(project, NEW)
        finally:
            connections.close_all()

    def moved(rows: object, move: renumbering.Move) -> bool:
        takers.append(threading.Thread(target=take))
        takers[-1].start()
        takers[-1].join()
        return real(rows, move)  # type: ignore[arg-type] # as it came

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(renumbering, "_moved", moved)
        (move,) = list(moves)

    assert move.holder == str(User.objects.get(phone=NEW).id)
    assert phones_of(project) == [OLD, NEW]
