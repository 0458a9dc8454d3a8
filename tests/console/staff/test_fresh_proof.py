"""Changing staff asks for a fresh proof: whoever finds an unlocked browser makes no account and changes none."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from console.staff import steps
from projects.models import Project
from tests.console.staff.support import CONFIRM, PASSWORD, browser, code, password, prove, sign_in
from users.models import Invitation, Totp, User

USERS = "/admin/users/user/"
NEW = "another long password 1"
PASSWORDS = {"password1": NEW, "password2": NEW, "usable_password": "true"}
NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


@pytest.fixture
def colleague() -> User:
    return User.objects.create_user("colleague", PASSWORD)


def left_alone(client: Client) -> Client:
    """Its last proof is older than counts."""
    session = client.session
    session["staff_proven_at"] = (timezone.now() - steps.FRESH - timedelta(seconds=1)).timestamp()
    session.save()
    return client


@pytest.fixture
def stale(root: User) -> Client:
    client = browser()
    sign_in(client, root)
    return left_alone(client)


def forms(colleague: User) -> dict[str, dict[str, str]]:
    """Page → what is posted to it."""
    promotion = {"username": "colleague", "is_active": "on", "is_superuser": "on", **NO_ROLES}
    return {
        f"{USERS}add/": {"username": "new", **PASSWORDS},
        f"{USERS}{colleague.pk}/change/": promotion,
        f"{USERS}{colleague.pk}/password/": PASSWORDS,
    }


def test_a_browser_that_was_left_changes_no_staff(stale: Client, colleague: User) -> None:
    for page, form in forms(colleague).items():
        assert stale.get(page).status_code == 200
        assert stale.post(page, form)["Location"] == f"{CONFIRM}?next={page.replace('/', '%2F')}"

    colleague.refresh_from_db()
    assert not colleague.is_superuser
    assert colleague.check_password(PASSWORD)
    assert not User.objects.filter(username="new").exists()


def test_after_the_proof_the_page_is_there_again(stale: Client, root: User, colleague: User) -> None:
    """With the sentence why, and what was asked for then works."""
    page, form = next(iter(forms(colleague).items()))
    asked: Any = stale.post(page, form, follow=True)
    assert "send it again afterwards" in asked.content.decode()
    Totp.objects.filter(user=root).update(last_step=-1)

    answer = stale.post(CONFIRM, {"code": code(root), "next": asked.context["next_url"]})

    assert answer["Location"] == page
    for each, values in forms(colleague).items():
        assert stale.post(each, values).status_code == 302, each
    colleague.refresh_from_db()
    assert colleague.is_superuser
    assert colleague.check_password(NEW)
    assert User.objects.get(username="new").is_staff


def test_nor_does_it_invite_or_give_rights_to_a_group(stale: Client, root: User) -> None:
    """Both are ways to an account that may more."""
    project, group = Project.objects.get(), Group.objects.create(name="support")
    invitation = {"username": "anna", "project": str(project.pk), "role": "owner"}
    right = Permission.objects.get(codename="delete_project")
    change = f"/admin/auth/group/{group.pk}/change/"
    posts: dict[str, dict[str, Any]] = {
        "/admin/users/invitation/add/": invitation,
        change: {"name": "support", "permissions": [right.pk]},
        "/admin/auth/group/add/": {"name": "others", "permissions": [right.pk]},
    }

    for page, form in posts.items():
        assert stale.post(page, form)["Location"].startswith(CONFIRM), page
    assert not Invitation.objects.exists()
    assert not Group.objects.filter(permissions=right, name="support").exists()

    prove_again(stale, root)
    for page, form in posts.items():
        assert not stale.post(page, form)["Location"].startswith(CONFIRM), page
    assert Invitation.objects.get().username == "anna"
    assert Group.objects.filter(permissions=right, name__in=("support", "others")).count() == 2


def prove_again(client: Client, user: User) -> None:
    Totp.objects.filter(user=user).update(last_step=-1)
    assert prove(client, code(user), CONFIRM).status_code == 302


def test_a_wrong_proof_changes_nothing_of_that(stale: Client, colleague: User) -> None:
    prove(stale, "000000", CONFIRM)

    for page, form in forms(colleague).items():
        assert stale.post(page, form)["Location"].startswith(CONFIRM)


def test_ones_own_password_needs_the_old_one(root: User) -> None:
    """Also right after a proof: the form for other staff does not ask for it."""
    client = browser()
    sign_in(client, root)
    page = f"{USERS}{root.pk}/password/"

    assert client.get(page)["Location"] == "/admin/password_change/"
    assert client.post(page, PASSWORDS)["Location"] == "/admin/password_change/"
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


def test_a_proof_lasts_ten_minutes(bare: User, colleague: User) -> None:
    """Also that of a password, for who has no factor."""
    page, form = f"{USERS}{colleague.pk}/password/", PASSWORDS
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser()
        password(client)
        clock.shift(steps.FRESH)
        assert client.post(page, form)["Location"].startswith(CONFIRM)
        clock.shift(timedelta(seconds=-1))
        assert client.post(page, form)["Location"] == f"{USERS}{colleague.pk}/change/"


def test_who_may_not_change_staff_is_refused_and_not_asked(colleague: User, root: User) -> None:
    client = browser()
    password(client, "colleague")
    left_alone(client)

    for page, form in forms(root).items():
        assert client.post(page, form).status_code == 403
