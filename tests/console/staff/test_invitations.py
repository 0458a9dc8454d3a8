"""Inviting a member of staff by a link that works once."""

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from projects.models import Project
from tests.console.staff.support import (
    ENROL,
    PASSWORD,
    browser,
    is_in,
    password,
    prove,
    shown_codes,
    shown_secret,
    sign_in,
)
from users import invitations
from users.models import Invitation, Membership, User
from users.roles import PERMISSIONS, Role

PAGE, ADD = "/admin/invitation/", "/admin/users/invitation/add/"
NEW = "another long password 1"


@pytest.fixture
def project() -> Project:
    return Project.objects.get()


@pytest.fixture
def owner(project: Project) -> Client:
    user = User.objects.create_user("owner", PASSWORD)
    Membership.objects.create(user=user, project=project, role="owner")
    client = browser()
    password(client, "owner")
    return client


def invite(client: Client, project: Project, name: str = "anna", role: str = "support") -> str:
    """The token of the link that the page shows."""
    form = {"username": name, "project": str(project.pk), "role": role}
    page = client.post(ADD, form, follow=True).content.decode()
    match = re.search(r"http://localhost/admin/invitation/#([\w-]{32})", page)
    assert match, page
    return match[1]


def accept(token: str, client: Client | None = None, **fields: str) -> Any:
    form = {"invitation": token, "password": NEW, "again": NEW, **fields}
    return (client or browser()).post(PAGE, form)


def test_an_owner_invites_and_the_guest_comes_in(owner: Client, project: Project) -> None:
    """Link, password, factor, codes; with the role that was given."""
    token = invite(owner, project)
    client = browser()

    assert accept(token, client)["Location"] == ENROL
    assert not is_in(client)
    anna = User.objects.get(username="anna")
    answer = prove(client, pyotp.TOTP(shown_secret(client)).now(), ENROL)

    assert len(shown_codes(answer)) == 10
    assert is_in(client)
    assert client.get("/admin/otp/challenge/").status_code == 200
    assert client.get("/admin/channels/sender/").status_code == 403
    assert [(row.project, row.role) for row in anna.memberships.all()] == [(project, "support")]
    assert anna.check_password(NEW)
    assert not anna.is_superuser


def test_the_link_works_once(owner: Client, project: Project) -> None:
    token = invite(owner, project)
    accept(token)

    answer = accept(token, password="yet another password", again="yet another password")

    assert answer.status_code == 400
    assert "no longer valid" in answer.content.decode()
    assert User.objects.get(username="anna").check_password(NEW)


def test_the_link_is_shown_once_and_stored_as_a_hash(owner: Client, project: Project) -> None:
    token = invite(owner, project)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_invitation")
        stored = str(cursor.fetchall())

    assert token not in stored
    for page in (
        "/admin/users/invitation/",
        f"/admin/users/invitation/{Invitation.objects.get().pk}/change/",
    ):
        text = owner.get(page).content.decode()
        assert token not in text
        assert Invitation.objects.get().token_hash not in text


def test_the_link_ends_after_two_days(owner: Client, project: Project) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        token = invite(owner, project)
        clock.shift(timedelta(hours=48, seconds=1))
        assert accept(token).status_code == 400
        clock.shift(timedelta(seconds=-2))
        assert accept(token).status_code == 302


def _block(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _take_role(user: User) -> None:
    Membership.objects.filter(user=user).update(role="viewer")


def _leave(user: User) -> None:
    Membership.objects.filter(user=user).delete()


def _withdraw(_user: User) -> None:
    Invitation.objects.all().delete()


def _take_name(_user: User) -> None:
    User.objects.create_user("anna", PASSWORD)


@pytest.mark.parametrize("change", [_block, _take_role, _leave, _withdraw, _take_name])
def test_it_ends_with_what_it_stood_on(change: Any, owner: Client, project: Project) -> None:
    """Whoever is thrown out left no way in behind."""
    token = invite(owner, project)
    before = User.objects.count() + (change is _take_name)
    change(User.objects.get(username="owner"))

    assert accept(token).status_code == 400
    assert User.objects.count() == before
    assert not Membership.objects.filter(user__username="anna").exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"password": "short", "again": "short"}, "password"),
        ({"password": "password123456", "again": "password123456"}, "password"),
        ({"again": "something else entirely"}, "again"),
        ({"password": "", "again": ""}, "password"),
    ],
)
def test_a_bad_password_uses_nothing_up(
    fields: dict[str, str], field: str, owner: Client, project: Project
) -> None:
    token = invite(owner, project)

    answer = accept(token, None, **fields)

    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert accept(token).status_code == 302


@pytest.mark.parametrize("token", ["x", "a" * 99, "é"])
def test_an_unknown_token_is_refused(token: str) -> None:
    assert accept(token).status_code == 400
    assert not User.objects.exists()


def test_tokens_are_limited_by_address(owner: Client, project: Project) -> None:
    statuses = [accept(f"guess{number}").status_code for number in range(21)]

    assert statuses[0] == 400
    assert statuses[-1] == 429


def test_nobody_invites_without_the_right(project: Project, root: User) -> None:
    """Support, and an owner into another project."""
    other = Project.objects.create(slug="other", name="Other")
    user = User.objects.create_user("helper", PASSWORD)
    Membership.objects.create(user=user, project=project, role="support")
    Membership.objects.create(user=user, project=other, role="owner")
    client = browser()
    password(client, "helper")

    answer = client.post(ADD, {"username": "anna", "project": str(project.pk), "role": "owner"})

    assert answer.status_code == 200
    assert "project" in answer.context["adminform"].form.errors
    Membership.objects.filter(role="owner").delete()
    assert client.get(ADD).status_code == 403
    assert not Invitation.objects.exists()


RIGHTS = ("users.add_invitation", "users.view_invitation")


def _wide(*names: str) -> User:
    """Staff of the whole installation with these permissions."""
    user = User.objects.create_user("wide", PASSWORD)
    for name in names:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.mark.parametrize("role", Role.values)
def test_nobody_gives_more_than_they_have(role: str, project: Project) -> None:
    """Also not somebody whose right to invite is good for every project."""
    _wide(*RIGHTS, *PERMISSIONS["support"])
    client = browser()
    password(client, "wide")

    answer = client.post(ADD, {"username": "anna", "project": str(project.pk), "role": role}, follow=True)

    assert ("rights that you do not have" in answer.content.decode()) is (role != "support")
    assert Invitation.objects.exists() is (role == "support")


@pytest.mark.parametrize("role", Role.values)
def test_owners_and_superusers_give_every_role(
    role: str, owner: Client, root: User, project: Project
) -> None:
    client = browser()
    sign_in(client, root)

    assert accept(invite(owner, project, "anna", role)).status_code == 302
    assert accept(invite(client, project, "berta", role)).status_code == 302
    assert set(Membership.objects.exclude(user__username="owner").values_list("role", flat=True)) == {role}


def test_what_the_inviter_lost_is_not_given_any_more(project: Project) -> None:
    """Though the right to invite is still there."""
    user, client = _wide(*RIGHTS, *PERMISSIONS["support"]), browser()
    password(client, "wide")
    token = invite(client, project)
    user.user_permissions.remove(Permission.objects.get(codename="view_challenge"))

    assert accept(token).status_code == 400
    assert not User.objects.filter(username="anna").exists()


def test_a_role_in_another_project_gives_nothing_here(project: Project) -> None:
    """An invitation that was stored before the rule."""
    user = User.objects.create_user("owner", PASSWORD)
    other = Project.objects.create(slug="other", name="Other")
    Membership.objects.create(user=user, project=other, role="owner")
    token = invitations.make_token()
    Invitation.objects.create(
        username="anna",
        project=project,
        role="viewer",
        token_hash=invitations.token_hash(token),
        invited_by=user,
        expires_at=timezone.now() + timedelta(hours=1),
    )

    assert accept(token).status_code == 400
    assert not User.objects.filter(username="anna").exists()


@pytest.mark.parametrize("name", ["root", " root ", "", "x" * 151])
def test_a_name_must_be_free(name: str, root: User, project: Project) -> None:
    client = browser()
    sign_in(client, root)

    answer = client.post(ADD, {"username": name, "project": str(project.pk), "role": "owner"})

    assert answer.status_code == 200
    assert "username" in answer.context["adminform"].form.errors


def test_an_invitation_is_never_changed(owner: Client, project: Project) -> None:
    invite(owner, project)
    page = f"/admin/users/invitation/{Invitation.objects.get().pk}/change/"

    assert (
        owner.post(page, {"username": "other", "project": str(project.pk), "role": "owner"}).status_code
        == 403
    )
    assert owner.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 302
    assert not Invitation.objects.exists()


def test_an_owner_removes_a_role(owner: Client, project: Project) -> None:
    """At once: rights are read in each request."""
    user = User.objects.create_user("helper", PASSWORD)
    row = Membership.objects.create(user=user, project=project, role="support")
    helper = browser()
    password(helper, "helper")
    assert helper.get("/admin/otp/challenge/").status_code == 200

    owner.post(f"/admin/users/membership/{row.pk}/delete/", {"post": "yes"})

    assert helper.get("/admin/otp/challenge/").status_code == 403
    assert owner.get("/admin/users/membership/add/").status_code == 403


def test_no_log_line_holds_the_token(owner: Client, project: Project) -> None:
    with capture_logs() as lines:
        token = invite(owner, project)
        accept(token)

    assert token not in str(lines)
