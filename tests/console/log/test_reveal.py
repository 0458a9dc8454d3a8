"""One whole number at a time, for who may, once, and on record."""

import pytest
from django.test import Client

from audit.models import AuditEvent
from otp.models import Challenge
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.console.log.support import LOG, add_challenge, signed_in
from users.models import User

WHOLE = "+852 5123 4567"


def page_of(row: Challenge | User) -> str:
    kind = LOG if isinstance(row, Challenge) else "/admin/users/user/"
    return f"{kind}{row.pk}/"


@pytest.fixture(params=["challenge", "user"])
def row(request: pytest.FixtureRequest, project: ProjectConfig) -> Challenge | User:
    if request.param == "challenge":
        return add_challenge(project)
    return User.objects.create(project_id=project.id, phone=factories.PHONE)


@pytest.fixture
def support(row: Challenge | User) -> Client:
    return signed_in("support", "view_challenge", "view_user", "reveal_phone")


def test_the_number_is_masked_until_the_button(row: Challenge | User, support: Client) -> None:
    """K4."""
    page = support.get(f"{page_of(row)}change/").content.decode()

    assert "••67" in page
    assert WHOLE not in page
    assert factories.PHONE not in page
    assert f'action="{page_of(row)}reveal/"' in page


def test_the_button_shows_it_once(row: Challenge | User, support: Client) -> None:
    shown = support.post(f"{page_of(row)}reveal/", follow=True)
    again = support.get(f"{page_of(row)}change/")

    assert WHOLE in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert WHOLE not in again.content.decode()


def test_the_address_and_the_cookie_do_not_hold_it(row: Challenge | User, support: Client) -> None:
    """F11."""
    answer = support.post(f"{page_of(row)}reveal/")

    assert answer.status_code == 302
    assert answer["Location"] == f"{page_of(row)}change/"
    texts = f"{answer.cookies} {answer.content!r} {dict(support.session)}"
    assert factories.PHONE[1:] not in texts.replace(" ", "")


def test_who_asked_when_is_in_the_history(row: Challenge | User, support: Client) -> None:
    """K6."""
    support.post(f"{page_of(row)}reveal/")

    event = AuditEvent.objects.get()
    assert event.actor == "support"
    assert event.object_id == str(row.pk)
    assert event.detail == "number revealed"
    assert factories.PHONE not in event.object_name


@pytest.mark.parametrize(
    "permissions",
    [("view_challenge", "view_user"), ("reveal_phone",), ("change_user", "view_user", "view_challenge")],
)
def test_nobody_else_gets_it(permissions: tuple[str, ...], row: Challenge | User) -> None:
    """K4."""
    browser = signed_in("looking", *permissions)

    assert browser.post(f"{page_of(row)}reveal/").status_code == 403
    assert not AuditEvent.objects.exists()
    if "view_user" in permissions:
        page = browser.get(f"{page_of(row)}change/").content.decode()
        assert "Show the number" not in page
        assert WHOLE not in page


def test_a_link_shows_nothing(row: Challenge | User, support: Client) -> None:
    assert support.get(f"{page_of(row)}reveal/").status_code == 405
    assert WHOLE not in support.get(f"{page_of(row)}change/").content.decode()


def test_it_is_of_this_row_only(row: Challenge | User, support: Client, project: ProjectConfig) -> None:
    other = add_challenge(project, phone="+85251230000")
    support.post(f"{page_of(row)}reveal/")

    elsewhere = support.get(f"{page_of(other)}change/").content.decode()
    afterwards = support.get(f"{page_of(row)}change/").content.decode()

    assert "5123 0000" not in elsewhere
    assert WHOLE not in afterwards


def test_it_waits_no_longer_than_a_minute(row: Challenge | User, support: Client) -> None:
    support.post(f"{page_of(row)}reveal/")

    with later(90):
        assert WHOLE not in support.get(f"{page_of(row)}change/").content.decode()


def test_an_erased_number_cannot_be_revealed(project: ProjectConfig) -> None:
    row = add_challenge(project, phone="erased-012345678")
    browser = signed_in("support", "view_challenge", "reveal_phone")

    assert "Show the number" not in browser.get(f"{page_of(row)}change/").content.decode()
    assert browser.post(f"{page_of(row)}reveal/").status_code == 404
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("key", ["01a21700-0000-7000-8000-000000000000", "nonsense"])
def test_a_row_that_is_not_there(key: str, support: Client) -> None:
    assert support.post(f"{LOG}{key}/reveal/").status_code == 404


def test_staff_have_no_number(project: ProjectConfig) -> None:
    root = User.objects.create_superuser("root", "a long enough password")

    assert signed_in("root").post(f"{page_of(root)}reveal/").status_code == 404
