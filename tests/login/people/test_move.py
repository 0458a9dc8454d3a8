"""A person gets another number: the id stays, everything that was open ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.config_models import ConfigVersion
from login import people
from login.models import Session
from oidc.models import LogoutNotice
from otp.errors import CountryNotAllowed
from projects.models import LoginMethods, Project
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser
from tests.login.people.support import NOTHING, THIRD_PHONE, Member, other_user
from tests.oidc.app import App
from users.errors import NumberTaken, PersonGone, SameNumber
from users.models import User
from users.phones import InvalidPhone, Phone, read

pytestmark = pytest.mark.django_db


def move(user: User, number: str = THIRD_PHONE) -> None:
    people.move(user_id=user.id, phone=read(number))


def test_all_that_was_open_is_open_before(member: Member) -> None:
    """The tests below could not fail otherwise."""
    assert set(member.works.values()) == {True}


def test_the_number_changes_and_sessions_and_tokens_end(member: Member) -> None:
    """F6, H13."""
    sub = member.sub

    move(member.user)

    assert member.user.phone == THIRD_PHONE
    assert str(member.user.id) == sub
    assert member.works == NOTHING
    assert not Session.objects.exists()
    assert str(LogoutNotice.objects.get().sub) == sub


def test_the_new_number_opens_the_same_account(member: Member, other_browser: Browser) -> None:
    """H13."""
    move(member.user)

    app = App(client=member.app.client, browser=other_browser)
    again = app.exchange(_code(app, THIRD_PHONE)).json()

    assert app.claims(again["id_token"])["sub"] == member.sub


def test_the_old_number_is_somebody_new(member: Member, other_browser: Browser) -> None:
    """H13: the account does not stay behind with whoever holds the number next."""
    move(member.user)

    with later(60):
        other_browser.sign_in(factories.PHONE)

    assert User.objects.get(phone=factories.PHONE).id != member.user.id


def _code(app: App, phone: str) -> str:
    from tests.oidc.app import answer_of

    return answer_of(app.sign_in(app.authorize(), phone))["code"]


def test_a_number_of_somebody_else_is_refused(member: Member) -> None:
    other_user(member)

    with pytest.raises(NumberTaken):
        move(member.user, factories.OTHER_PHONE)

    assert member.user.phone == factories.PHONE
    assert set(member.works.values()) == {True}


def test_the_same_number_in_another_project_is_free(member: Member) -> None:
    """K8."""
    elsewhere = Project.objects.create(slug="other", name="Other")
    User.objects.create(project=elsewhere, phone=THIRD_PHONE)

    move(member.user)

    assert member.user.phone == THIRD_PHONE


def test_the_own_number_is_refused(member: Member) -> None:
    with pytest.raises(SameNumber):
        move(member.user, factories.PHONE)

    assert set(member.works.values()) == {True}


def test_a_country_that_the_project_does_not_send_to_is_refused(member: Member) -> None:
    LoginMethods.objects.update(countries_allowed=["HK"])
    ConfigVersion.bump()

    with pytest.raises(CountryNotAllowed):
        move(member.user, factories.OTHER_PHONE)

    assert member.user.phone == factories.PHONE


def test_a_number_that_costs_too_much_is_refused(member: Member) -> None:
    personal = read("+447012345678")
    assert isinstance(personal, Phone)

    with pytest.raises(InvalidPhone):
        people.move(user_id=member.user.id, phone=personal)

    assert member.user.phone == factories.PHONE


def test_people_of_an_archived_project_are_not_moved(member: Member) -> None:
    """It serves nobody, so no number can be proven there."""
    Project.objects.update(archived_at=timezone.now())
    ConfigVersion.bump()

    with pytest.raises(CountryNotAllowed):
        move(member.user)


@pytest.mark.parametrize("who", ["staff", "nobody", "erased"])
def test_only_people_are_moved(who: str, member: Member) -> None:
    if who == "erased":
        User.objects.filter(id=member.user.id).update(deletion_began_at=timezone.now() - timedelta(minutes=1))
    user = {
        "staff": User.objects.create_superuser("root", "a long enough password"),
        "nobody": User(),
        "erased": member.user,
    }[who]

    with pytest.raises(PersonGone):
        move(user)


def test_a_blocked_person_stays_blocked(member: Member) -> None:
    User.objects.filter(id=member.user.id).update(is_active=False)

    move(member.user)

    assert not member.user.is_active
