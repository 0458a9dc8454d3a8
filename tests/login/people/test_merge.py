"""Two users of a project become one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from login import erasure, people
from login.models import Session
from oidc.models import LogoutNotice, TokenFamily
from projects.models import Project
from tests import factories
from tests.login.conftest import Browser
from tests.login.people.support import NOTHING, Member, other_user
from users import pseudonyms
from users.errors import OtherProject, PersonGone, SamePerson
from users.models import User

pytestmark = pytest.mark.django_db


def test_the_other_account_ends_and_the_kept_one_goes_on(member: Member) -> None:
    """F6, H13."""
    kept = other_user(member)

    people.merge(kept_id=kept.id, other_id=member.user.id, take_number=False)

    assert member.works == NOTHING
    assert not Session.objects.exists()
    assert str(LogoutNotice.objects.get().sub) == member.sub
    kept.refresh_from_db()
    assert (kept.phone, kept.is_active) == (factories.OTHER_PHONE, True)


def test_the_kept_account_stays_signed_in_with_its_own_number(member: Member) -> None:
    other = other_user(member)

    people.merge(kept_id=member.user.id, other_id=other.id, take_number=False)

    assert set(member.works.values()) == {True}
    assert member.user.phone == factories.PHONE


def test_the_kept_account_takes_the_number_and_is_signed_out(member: Member) -> None:
    """Its old number may be in other hands."""
    other = other_user(member)

    people.merge(kept_id=member.user.id, other_id=other.id, take_number=True)

    assert member.user.phone == factories.OTHER_PHONE
    assert member.works == NOTHING


def test_a_number_that_is_left_over_is_free(member: Member, other_browser: Browser) -> None:
    other = other_user(member)
    people.merge(kept_id=member.user.id, other_id=other.id, take_number=False)

    other_browser.sign_in(factories.OTHER_PHONE)

    someone = User.objects.get(phone=factories.OTHER_PHONE)
    assert someone.id not in (member.user.id, other.id)


@pytest.mark.parametrize("blocked", ["kept", "other"])
def test_a_block_of_either_stays(blocked: str, member: Member) -> None:
    """A merge is no way around it."""
    other = other_user(member, is_active=blocked != "other")
    User.objects.filter(id=member.user.id).update(is_active=blocked != "kept")

    people.merge(kept_id=member.user.id, other_id=other.id, take_number=False)

    assert not member.user.is_active
    assert member.works == NOTHING


def test_the_later_login_counts(member: Member) -> None:
    later = timezone.now() + timedelta(days=1)
    other = other_user(member, last_login=later)

    people.merge(kept_id=member.user.id, other_id=other.id, take_number=False)

    assert member.user.last_login == later


def test_nobody_who_never_logged_in_is_dated(member: Member) -> None:
    one, other = other_user(member), other_user(member, "+85251234888")

    people.merge(kept_id=one.id, other_id=other.id, take_number=False)

    one.refresh_from_db()
    assert one.last_login is None


def test_users_of_two_projects_are_not_merged(member: Member) -> None:
    """K8."""
    elsewhere = User.objects.create(
        project=Project.objects.create(slug="other", name="Other"), phone=factories.OTHER_PHONE
    )

    with pytest.raises(OtherProject):
        people.merge(kept_id=member.user.id, other_id=elsewhere.id, take_number=True)

    assert set(member.works.values()) == {True}
    elsewhere.refresh_from_db()
    assert elsewhere.is_active


def test_nobody_is_merged_with_themselves(member: Member) -> None:
    with pytest.raises(SamePerson):
        people.merge(kept_id=member.user.id, other_id=member.user.id, take_number=True)

    assert set(member.works.values()) == {True}


def test_staff_are_not_merged(member: Member) -> None:
    root = User.objects.create_superuser("root", "a long enough password")

    with pytest.raises(PersonGone):
        people.merge(kept_id=member.user.id, other_id=root.id, take_number=True)


def test_what_is_left_of_the_other_is_deleted_afterwards(member: Member) -> None:
    kept = other_user(member)
    people.merge(kept_id=kept.id, other_id=member.user.id, take_number=True)
    assert pseudonyms.is_pseudonym(str(member.user.phone))

    assert erasure.finish_all(seconds=None) == 1

    assert not User.objects.filter(id=member.sub).exists()
    assert not TokenFamily.objects.exists()
    assert User.objects.get(phone=factories.PHONE).id == kept.id
