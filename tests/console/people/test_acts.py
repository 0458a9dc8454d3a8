"""What the buttons of a user's page do, and that nothing happens before the button."""

from typing import Any

import pytest
from django.test import Client

from audit.kinds import Kind
from audit.models import AuditEvent
from console.people_acts import ACTS
from login.models import Session
from otp.models import Challenge
from projects.models import Project
from tests import factories
from tests.console import rows
from tests.console.people.support import USERS, address, do, page
from tests.login.people.support import NOTHING, THIRD_PHONE, Member, other_user
from users import pseudonyms
from users.models import User

pytestmark = pytest.mark.django_db


def fields_of(act: str, member: Member) -> dict[str, Any]:
    """A form that is right, once there is another user to merge with."""
    other = User.objects.filter(phone=factories.OTHER_PHONE).first()
    forms: dict[str, dict[str, Any]] = {
        "end-session": {"session": str(Session.objects.filter(user=member.user).get().id)},
        "move": {"number": "+852 5123 4999"},
        "merge": {"other": factories.OTHER_PHONE, "number": "keep", "confirmed": other.id if other else "x"},
        "erase": {"typed": member.sub[-8:]},
    }
    return forms.get(act, {})


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_link_only_asks(act: str, member: Member, staff: Client) -> None:
    """F8."""
    before = rows.snapshot()

    answer = staff.get(address(member.user, act))

    assert answer.status_code == 200
    assert str(ACTS[act].text).split(".")[0] in answer.content.decode()
    assert rows.snapshot() == before
    assert set(member.works.values()) == {True}


BY_SERVICES = {"block": Kind.BLOCKED, "unblock": Kind.UNBLOCKED, "sign-out": Kind.SIGNED_OUT_EVERYWHERE}


@pytest.mark.parametrize("act", sorted(ACTS))
def test_each_act_is_in_the_history(act: str, member: Member, staff: Client) -> None:
    """K6. With the id of the user, and without a number."""
    other_user(member)
    key = member.sub

    do(staff, member.user, act, **fields_of(act, member))

    event = AuditEvent.objects.get(object_id=key, kind=BY_SERVICES.get(act, Kind.ACTED))
    assert ACTS[act].record in event.detail
    assert event.actor == "root"
    for number in (factories.PHONE, factories.OTHER_PHONE, THIRD_PHONE):
        assert number not in f"{event.detail} {event.object_name} {event.before} {event.after}"


@pytest.mark.parametrize("act", ["sign-out", "block", "move", "erase"])
def test_sessions_and_tokens_end_at_once(act: str, member: Member, staff: Client) -> None:
    """F6, F7."""
    do(staff, member.user, act, **fields_of(act, member))

    assert member.works == NOTHING
    assert not Session.objects.filter(user_id=member.sub).exists()


def test_one_session_ends_and_the_others_go_on(member: Member, staff: Client, other_browser: Any) -> None:
    """F7."""
    from tests.clock import later

    with later(60):
        other_browser.sign_in()
    mine, other = Session.objects.filter(user_id=member.sub).order_by("created_at")

    do(staff, member.user, "end-session", session=str(other.id))

    assert list(Session.objects.filter(user_id=member.sub)) == [mine]
    assert member.works["session"]
    assert not other_browser.is_signed_in


def test_a_session_of_somebody_else_is_left_alone(member: Member, staff: Client) -> None:
    """Neither another person's nor one of staff."""
    other = other_user(member)

    for session in Session.objects.all():
        do(staff, other, "end-session", session=str(session.id))

    assert member.works["session"]
    assert staff.get(USERS).status_code == 200


def test_block_and_unblock_take_turns(member: Member, staff: Client) -> None:
    do(staff, member.user, "block")
    assert not member.user.is_active
    assert address(member.user, "unblock") in staff.get(page(member.user)).content.decode()

    do(staff, member.user, "unblock")
    assert User.objects.get(id=member.sub).is_active
    assert address(member.user, "unblock") not in staff.get(page(member.user)).content.decode()


def test_a_person_is_moved(member: Member, staff: Client) -> None:
    """H13."""
    answer = do(staff, member.user, "move", number=" +852 5123-4999 ")

    assert member.user.phone == THIRD_PHONE
    assert "has the new number" in answer.content.decode()
    assert "+852 •••• ••99" in answer.content.decode()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "required"),
        ("nonsense", "not a number that can receive"),
        ("+8521234", "not a number that can receive"),
        (factories.PHONE, "has this number already"),
        (factories.OTHER_PHONE, "Another user has this number"),
        ("+447012345678", "No messages are sent to numbers of this kind"),
    ],
)
def test_a_number_that_will_not_do(number: str, words: str, member: Member, staff: Client) -> None:
    """With a sentence, and nothing changed."""
    other_user(member)
    before = rows.snapshot()

    answer = do(staff, member.user, "move", number=number)

    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert rows.snapshot() == before
    assert set(member.works.values()) == {True}


def test_a_merge_is_shown_before_it_is_done(member: Member, staff: Client) -> None:
    other = other_user(member)
    before = rows.snapshot()

    asked = do(staff, member.user, "merge", other=factories.OTHER_PHONE, number="take")

    assert asked.status_code == 200
    assert str(other.id) in asked.content.decode()
    assert "This account ends" in asked.content.decode()
    assert rows.snapshot() == before


@pytest.mark.parametrize("by", ["number", "id"])
def test_two_users_are_merged(by: str, member: Member, staff: Client) -> None:
    other = other_user(member)
    named = factories.OTHER_PHONE if by == "number" else str(other.id)

    do(staff, member.user, "merge", other=named, number="take", confirmed=str(other.id))

    assert member.user.phone == factories.OTHER_PHONE
    assert not User.objects.filter(id=other.id).exists()
    assert (
        f"merged into: {member.sub}"
        in AuditEvent.objects.get(object_id=str(other.id), kind=Kind.ACTED).detail
    )


def test_another_user_than_the_one_shown_is_shown_first(member: Member, staff: Client) -> None:
    """The field can be changed on the second page too."""
    shown = other_user(member)
    other = other_user(member, THIRD_PHONE)
    before = rows.snapshot()

    asked = do(staff, member.user, "merge", other=THIRD_PHONE, number="keep", confirmed=str(shown.id))

    assert asked.status_code == 200
    assert f'name="confirmed" value="{other.id}"' in asked.content.decode()
    assert rows.snapshot() == before


@pytest.mark.parametrize("who", ["nobody", "herself", "staff", "elsewhere", "part"])
def test_a_merge_that_will_not_do(who: str, member: Member, staff: Client) -> None:
    elsewhere = User.objects.create(
        project=Project.objects.create(slug="other", name="Other"), phone="+85251234777"
    )
    named = {
        "nobody": "+85251234888", "herself": member.sub, "staff": str(User.objects.get(username="root").id),
        "elsewhere": str(elsewhere.id), "part": "4567",
    }[who]  # fmt: skip
    before = rows.snapshot()

    answer = do(staff, member.user, "merge", other=named, number="keep", confirmed=named)

    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert rows.snapshot() == before


@pytest.mark.parametrize("typed", ["", "erase", "00000000", "{id}x"])
def test_an_erasure_is_confirmed_by_typing(typed: str, member: Member, staff: Client) -> None:
    answer = do(staff, member.user, "erase", typed=typed.format(id=member.sub[-8:]))

    assert answer.status_code == 400
    assert set(member.works.values()) == {True}


def test_a_person_is_erased(member: Member, staff: Client) -> None:
    user = member.user

    answer = do(staff, user, "erase", typed=f" {member.sub[-8:].upper()} ")

    assert "Erased" in answer.content.decode()
    assert not User.objects.filter(id=user.id).exists()
    assert pseudonyms.is_pseudonym(Challenge.objects.get().phone)
    assert staff.get(page(user)).status_code == 302  # not there any more


def test_deleting_a_person_is_erasing_them(member: Member, staff: Client) -> None:
    """One way only, with its question."""
    answer = staff.get(f"{USERS}{member.sub}/delete/")
    posted = staff.post(f"{USERS}{member.sub}/delete/", {"post": "yes"})

    assert answer["Location"] == posted["Location"] == address(member.user, "erase")
    assert set(member.works.values()) == {True}


def test_several_are_never_deleted_from_the_list(member: Member, staff: Client) -> None:
    form = {"action": "delete_selected", "_selected_action": [member.sub], "post": "yes"}

    assert "delete_selected" not in staff.get(USERS).content.decode()
    staff.post(USERS, form)

    assert set(member.works.values()) == {True}


@pytest.mark.parametrize("act", sorted(ACTS))
def test_what_was_done_meanwhile_is_said(act: str, member: Member, staff: Client) -> None:
    """Two members of staff, one after the other with an old page."""
    fields, user = fields_of(act, member) or {}, member.user
    other_user(member)
    do(staff, user, "erase", typed=member.sub[-8:])

    assert staff.post(address(user, act), fields).status_code == 404


def test_an_unknown_act(member: Member, staff: Client) -> None:
    assert staff.post(address(member.user, "promote")).status_code == 404


@pytest.mark.parametrize("act", sorted(ACTS))
def test_staff_are_no_people(act: str, member: Member, staff: Client) -> None:
    """Not even for superusers: their forms are others."""
    root = User.objects.get(username="root")
    before = rows.snapshot()

    assert staff.get(address(root, act)).status_code == 404
    assert staff.post(address(root, act), fields_of(act, member)).status_code == 404
    assert rows.snapshot() == before
