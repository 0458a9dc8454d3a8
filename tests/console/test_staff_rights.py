"""Who may do what to whom: people, staff, superusers, oneself."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from audit.models import AuditEvent
from events.models import Endpoint, Event
from login.models import Session
from tests.console import rows
from tests.console.fresh import freshly
from users.models import User

pytestmark = pytest.mark.django_db
USERS = "/admin/users/user/"
NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}  # in projects


@pytest.fixture(autouse=True)
def _filled(db: None) -> None:
    rows.fill()


def staff(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, rows.PASSWORD)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    browser = Client()
    browser.force_login(user)
    return browser


def superuser() -> Client:
    browser = Client()
    browser.force_login(User.objects.get(username="root"))
    return freshly(browser)


def act(browser: Client, page: str, action: str, *chosen: Any) -> str:
    form = {"action": action, "_selected_action": [str(row.pk) for row in chosen]}
    return browser.post(page, form, follow=True).content.decode()


def person() -> User:
    return User.objects.get(phone__isnull=False)


def root() -> User:
    return User.objects.get(username="root")


def test_staff_who_may_change_users_can_block_a_person() -> None:
    """The refusals below have the same beginning."""
    act(staff("support", "view_user", "change_user"), USERS, "block", person())

    assert not person().is_active
    assert not Session.objects.filter(user=person()).exists()
    assert AuditEvent.objects.latest("id").kind == "user.blocked"


@pytest.mark.parametrize("action", ["block", "unblock", "end_sessions"])
@pytest.mark.parametrize("victims", [("root",), ("colleague",), ("root", "person"), ("support",)])
def test_only_superusers_change_staff(action: str, victims: tuple[str, ...]) -> None:
    """Neither by the list, nor among people."""
    User.objects.create_user("colleague", rows.PASSWORD)
    browser = staff("support", "view_user", "change_user", "delete_user", "add_user")
    chosen = [person() if name == "person" else User.objects.get(username=name) for name in victims]
    before = rows.snapshot()

    act(browser, USERS, action, *chosen)

    assert rows.snapshot() == before
    assert Session.objects.filter(user=person()).exists()


@pytest.mark.parametrize("name", ["root", "support"])
@pytest.mark.parametrize("page", ["change/", "password/", "delete/"])
def test_no_form_changes_staff_either(name: str, page: str) -> None:
    """Oneself included."""
    browser = staff("support", "view_user", "change_user", "delete_user", "add_user")
    target = User.objects.get(username=name)
    before = rows.snapshot()
    values = {
        "username": "renamed", "is_active": "on", "is_superuser": "on", "post": "yes", "groups": [Group.objects.get(name="support").pk],
        "user_permissions": [Permission.objects.all()[0].pk], "password1": "another long password 1",
        "password2": "another long password 1", "usable_password": "true",
    }  # fmt: skip

    answer = browser.post(f"{USERS}{target.id}/{page}", values)

    assert answer.status_code == 403
    assert rows.snapshot() == before


def test_only_superusers_create_staff() -> None:
    form = {
        "username": "new",
        "password1": rows.PASSWORD,
        "password2": rows.PASSWORD,
        "usable_password": "true",
    }
    support = staff("support", "view_user", "change_user", "add_user")

    assert support.post(f"{USERS}add/", form).status_code == 403
    assert superuser().post(f"{USERS}add/", form).status_code == 302
    assert User.objects.get(username="new").is_staff


def test_a_superuser_gives_permissions_and_groups() -> None:
    """That rights can be given at all; the form is the superusers' own."""
    colleague = User.objects.create_user("colleague", rows.PASSWORD)
    right = Permission.objects.get(codename="view_challenge")
    form = {
        "username": "colleague",
        "is_active": "on",
        "groups": [Group.objects.get(name="support").pk],
        "user_permissions": [right.pk],
        **NO_ROLES,
    }

    answer = superuser().post(f"{USERS}{colleague.id}/change/", form)

    assert answer.status_code == 302
    colleague = User.objects.get(username="colleague")
    assert colleague.has_perm("otp.view_challenge")
    assert colleague.groups.count() == 1
    assert colleague.check_password(rows.PASSWORD)


@pytest.mark.parametrize("page", ["add/", "change/"])
def test_staff_need_a_username(page: str) -> None:
    """An empty one was an error of the server."""
    path = USERS + (page if page == "add/" else f"{root().id}/{page}")

    answer = superuser().post(path, {"username": "", "password1": rows.PASSWORD, "password2": rows.PASSWORD})

    assert answer.status_code == 200
    assert "username" in answer.context["adminform"].form.errors
    assert root().username == "root"


def test_superusers_cannot_lock_themselves_out() -> None:
    """Neither by the action nor by the form."""
    browser = superuser()

    page = act(browser, USERS, "block", root())
    browser.post(f"{USERS}{root().id}/change/", {"username": "root", **NO_ROLES})
    answer = browser.post(f"{USERS}{root().id}/delete/", {"post": "yes"})

    assert "You cannot block yourself" in page
    assert answer.status_code == 403
    assert root().is_active
    assert root().is_superuser


def test_people_get_no_password() -> None:
    """It would end their sessions and open nothing."""
    colleague = User.objects.create_user("colleague", rows.PASSWORD)
    assert superuser().get(f"{USERS}{person().id}/password/").status_code == 403
    assert superuser().get(f"{USERS}{colleague.id}/password/").status_code == 200


def test_groups_are_superusers_business() -> None:
    """A group is a set of rights."""
    browser = staff("support", "view_group", "change_group", "add_group", "delete_group", "view_permission")

    for page in ("", "add/", f"{Group.objects.get(name='support').pk}/change/"):
        assert browser.get(f"/admin/auth/group/{page}").status_code == 403
        assert superuser().get(f"/admin/auth/group/{page}").status_code == 200


def test_the_page_of_staff_shows_nothing_of_the_password() -> None:
    """Django's shows algorithm and how salt and hash begin."""
    page = superuser().get(f"{USERS}{root().id}/change/").content.decode()

    algorithm, salt, digest = root().password.split("$")
    assert "../password/" in page
    for part in (algorithm, salt[:6], digest[:6], "iterations"):
        assert part not in page


def test_deleting_a_user_names_no_session() -> None:
    """The text of a session row is its key, and the page lists what goes along."""
    page = superuser().get(f"{USERS}{person().id}/delete/", follow=True).content.decode()

    keys = Session.objects.values_list("session_key", flat=True)
    assert [key for key in keys if key in page] == []
    assert "sessions" in page.lower()


@pytest.mark.parametrize(
    ("page", "action", "model", "permission"),
    [
        ("/admin/events/endpoint/", "renew_secret", Endpoint, "endpoint"),
        ("/admin/events/event/", "send_again", Event, "event"),
    ],
)
def test_actions_need_the_right_to_change(page: str, action: str, model: Any, permission: str) -> None:
    """Offered to and done for staff who may change users, and no one else."""
    row = model.objects.get()
    before = rows.snapshot()

    looking = staff("looking", f"view_{permission}")
    shown = looking.get(page).content.decode()
    after = act(looking, page, action, row)
    rows_after = {name: table for name, table in rows.snapshot().items() if not name.startswith("users.")}

    assert f'value="{action}"' not in shown
    assert not re.findall(r"whsec_[A-Za-z0-9+/=]+", after)
    assert rows_after == {name: table for name, table in before.items() if not name.startswith("users.")}
    changing = staff("changing", f"view_{permission}", f"change_{permission}")
    assert f'value="{action}"' in changing.get(page).content.decode()
    act(changing, page, action, row)
    assert rows.snapshot()[model._meta.label] != before[model._meta.label]
    assert AuditEvent.objects.latest("id").actor == "changing"


def test_a_new_event_secret_is_in_the_history_without_its_value() -> None:
    browser = superuser()
    page = act(browser, "/admin/events/endpoint/", "renew_secret", Endpoint.objects.get())

    (secret,) = {found.replace("&#x2B;", "+") for found in re.findall(r"whsec_[A-Za-z0-9+/=&#;]+", page)}
    history = browser.get(f"/admin/events/endpoint/{Endpoint.objects.get().pk}/history/").content.decode()
    assert secret[:40] == Endpoint.objects.get().secret[:40]
    assert "renewed the secret" in history
    assert "whsec_" not in history


def test_alerts_are_for_who_may_see_senders() -> None:
    """Every page carries them."""
    from channels.models import Sender, SenderHealth

    sender = Sender.objects.filter(provider="meta").get()
    SenderHealth.objects.create(sender=sender, alert=True, reason="misconfigured", provider_code="190")

    assert "access token is expired" in staff("looking", "view_sender").get("/admin/").content.decode()
    assert "access token is expired" not in staff("nobody").get("/admin/").content.decode()
