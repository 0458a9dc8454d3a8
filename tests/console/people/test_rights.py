"""Each act has a permission, and each permission opens its acts only."""

from typing import Any

import pytest
from django.test import Client

from console.people_acts import ACTS
from tests.console import rows
from tests.console.log.support import signed_in
from tests.console.people.support import USERS, address, numbers, page
from tests.console.people.test_acts import fields_of
from tests.login.people.support import Member, other_user

pytestmark = pytest.mark.django_db
PERMISSIONS = ("change_user", "move_user", "merge_user", "delete_user")


@pytest.mark.parametrize("permission", [*PERMISSIONS, "reveal_phone", "add_user"])
def test_a_permission_opens_its_acts_only(permission: str, member: Member) -> None:
    """K4: buttons, pages and posts."""
    other_user(member)
    browser = signed_in("support", "view_user", permission)
    shown = browser.get(page(member.user)).content.decode()
    refused = [act for act in ACTS.values() if act.permission != permission]
    forms = {act.name: fields_of(act.name, member) for act in refused}
    before = rows.snapshot()

    for act in refused:
        assert address(member.user, act.name) not in shown
        assert browser.get(address(member.user, act.name)).status_code == 403
        assert browser.post(address(member.user, act.name), forms[act.name]).status_code == 403
    assert rows.snapshot() == before
    for act in ACTS.values():
        if act.permission == permission:
            assert browser.get(address(member.user, act.name)).status_code == 200


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_who_may_not_see_users_may_not_act(permission: str, member: Member) -> None:
    """A right to change includes the right to see in Django; the others do not."""
    browser = signed_in("support", permission)
    allowed = permission == "change_user"
    before = rows.snapshot()

    for act in ACTS.values():
        if not (allowed and act.permission == permission):
            assert (
                browser.post(address(member.user, act.name), fields_of(act.name, member)).status_code == 403
            )
    assert rows.snapshot() == before


def test_strangers_are_asked_to_sign_in(member: Member) -> None:
    for act in ACTS:
        answer = Client().post(address(member.user, act), {})
        assert answer.status_code == 302
        assert answer["Location"].startswith("/admin/login/")


def test_a_post_from_another_site_is_refused(member: Member) -> None:
    """F8."""
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = signed_in("support", "view_user", "change_user").cookies

    assert browser.post(address(member.user, "block"), {}).status_code == 403
    assert member.user.is_active


# Searching ------------------------------------------------------------------------------------------


@pytest.fixture
def people(member: Member) -> None:
    for phone in ("+85251230000", "+85298761234", "+447911123456"):
        other_user(member, phone)


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        ("4567", ["+85251234567"]),
        ("1234", ["+85298761234"]),
        ("5123", []),
        ("+8525123", ["+85251230000", "+85251234567"]),
        ("852 5123", ["+85251230000", "+85251234567"]),
        ("00852 5123", ["+85251230000", "+85251234567"]),
        ("123456", ["+447911123456"]),
        ("+447", ["+447911123456"]),
        ("567", []),
        ("4567%", []),
        ("45_7", []),
        ("+852 5123 4567", ["+85251234567"]),
        ("4567 or 1=1", []),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_part_of_a_number_for_who_may_reveal_one(term: str, matches: list[str]) -> None:
    """Four digits at least: how it begins, or how it ends."""
    assert numbers(signed_in("support", "view_user", "reveal_phone"), term) == (
        matches if term != "+447" else []
    )


@pytest.mark.usefixtures("people")
def test_a_beginning_without_the_code_of_a_projects_country(member: Member) -> None:
    from core.config_models import ConfigVersion
    from projects.models import LoginMethods

    LoginMethods.objects.update(countries_allowed=["HK", "GB"])
    ConfigVersion.bump()
    browser = signed_in("support", "view_user", "reveal_phone")

    assert numbers(browser, "5123") == ["+85251230000", "+85251234567"]
    assert numbers(browser, "07911") == ["+447911123456"]


@pytest.mark.parametrize("term", ["4567", "5123", "+8525123", "852 5123", "123456", "1234567"])
@pytest.mark.usefixtures("people")
def test_no_part_for_anybody_else(term: str) -> None:
    """K4: it would read a masked number digit by digit."""
    assert numbers(signed_in("support", "view_user", "change_user"), term) == []


@pytest.mark.parametrize("term", ["+852 5123 4567", "0085251234567"])
@pytest.mark.usefixtures("people")
def test_a_whole_number_for_everybody(term: str) -> None:
    assert numbers(signed_in("support", "view_user"), term) == ["+85251234567"]


@pytest.mark.usefixtures("people")
def test_an_id_and_a_username(member: Member) -> None:
    browser = signed_in("support", "view_user")

    assert numbers(browser, member.sub) == ["+85251234567"]
    assert numbers(browser, "suppor") == [""]


def test_who_is_being_deleted_is_not_listed(member: Member) -> None:
    from login import erasure

    erasure.begin(user_id=member.user.id)
    browser = signed_in("support", "view_user", "reveal_phone")

    assert numbers(browser, "erased-") == []
    assert member.sub not in browser.get(USERS).content.decode()


def test_a_list_shows_masked_numbers_to_everybody(member: Member) -> None:
    """K4."""
    answer: Any = signed_in("support", "view_user", "reveal_phone").get(USERS)

    assert "••67" in answer.content.decode()
    assert "51234567" not in answer.content.decode().replace(" ", "")
