"""A user's page: what it shows to whom, and what it costs."""

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core.config_models import ConfigVersion
from login.models import Session
from oidc.models import Client as Application
from otp.models import Challenge
from tests import factories
from tests.console.log.support import add_challenge, add_message, signed_in
from tests.console.people.support import address, page
from tests.login.people.support import Member

pytestmark = pytest.mark.django_db


def test_sessions_with_device_and_address(member: Member, staff: Client) -> None:
    """F7. Never the key."""
    Session.objects.filter(user=member.user).update(
        user_agent="Mozilla/5.0 (iPhone; CPU) Safari/605", address="203.0.113.9"
    )
    row = Session.objects.get(user=member.user)

    text = staff.get(page(member.user)).content.decode()

    assert "Safari · iPhone" in text
    assert "203.0.113.9" in text
    assert f"{address(member.user, 'end-session')}?session={row.id}" in text
    assert row.session_key not in text


def test_a_session_that_is_over_is_not_shown(member: Member, staff: Client) -> None:
    Session.objects.filter(user=member.user).update(expire_date="2020-01-01T00:00:00Z")

    assert "Signed in nowhere" in staff.get(page(member.user)).content.decode()


def test_a_device_that_says_nothing(member: Member, staff: Client) -> None:
    Session.objects.filter(user=member.user).update(user_agent="", address=None)

    assert "unknown device" in staff.get(page(member.user)).content.decode()


def test_last_challenges_lead_to_their_timeline(member: Member, staff: Client) -> None:
    challenge = Challenge.objects.get()

    text = staff.get(page(member.user)).content.decode()

    assert f'href="/admin/otp/challenge/{challenge.id}/change/"' in text
    assert "verified" in text
    assert factories.code_of(challenge.id) not in text  # K5


def test_challenges_are_for_who_may_see_the_log(member: Member) -> None:
    """K4."""
    text = signed_in("support", "view_user").get(page(member.user)).content.decode()

    assert str(Challenge.objects.get().id) not in text
    assert "Last challenges" not in text


def test_applications_are_named(member: Member, staff: Client) -> None:
    Application.objects.update(name="The shop")
    ConfigVersion.bump()

    assert "The shop" in staff.get(page(member.user)).content.decode()


def test_nothing_is_posted_to_the_page_itself(member: Member, staff: Client) -> None:
    """A number is changed by its own form alone."""
    answer = staff.post(page(member.user), {"phone": factories.OTHER_PHONE, "is_active": ""})

    assert answer.status_code == 405
    assert member.user.phone == factories.PHONE
    assert member.user.is_active


def test_no_page_of_a_user_shows_the_number(member: Member, staff: Client) -> None:
    """K4."""
    paths = [page(member.user), *(address(member.user, act) for act in ("move", "merge", "erase", "block"))]

    for path in paths:
        text = staff.get(path).content.decode().replace(" ", "")
        assert factories.PHONE[1:] not in text
        assert "51234567" not in text


@pytest.mark.parametrize("act", ["", "move", "merge", "erase", "sign-out"])
def test_a_page_costs_the_same_for_few_and_for_many(
    act: str, member: Member, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """For a member of staff who has each permission by itself (superusers need none read) and proved a second factor
    (without one, where it is only offered, each request asks whether there is one)."""
    from projects.config import projects

    project_id = member.user.project_id
    assert project_id
    for _ in range(20):
        add_message(add_challenge(projects.get().by_id[project_id]))
    for nth in range(20):
        Session.objects.create(session_key=f"key-{nth}", expire_date="2099-01-01T00:00:00Z", user=member.user)
    path = address(member.user, act) if act else page(member.user)
    may = (
        "view_user",
        "change_user",
        "move_user",
        "merge_user",
        "delete_user",
        "view_challenge",
        "view_sender",
    )
    staff = signed_in("support", "reveal_phone", *may)
    session = staff.session
    session["staff_factor"] = "totp"
    session.save()

    with django_assert_max_num_queries(15 if settings.REDIS_URL else 16):  # which is asked for the version
        assert staff.get(path).status_code == 200
