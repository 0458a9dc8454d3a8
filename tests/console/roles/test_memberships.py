"""Roles in projects beside rights of the whole installation."""

import pytest
from django.test import Client

from projects.models import Project
from tests.console.fresh import freshly
from tests.console.roles.support import signed_in
from tests.console.roles.tenants import Tenant, change_page, member
from users.models import Membership, User

# Roles and rights of the whole installation ---------------------------------------------------------


def test_roles_replace_rights_of_the_whole_installation(acme: Tenant, other: Tenant) -> None:
    """The form says so and removes them; until then they do not count."""
    browser = signed_in("wide", "view_challenge", "view_signingkey")
    assert "zenith products" in browser.get("/admin/otp/challenge/").content.decode()
    user = User.objects.get(username="staff-wide")
    Membership.objects.create(user=user, project=acme.project, role="viewer")

    assert "zenith products" not in browser.get("/admin/otp/challenge/").content.decode()
    assert browser.get("/admin/oidc/signingkey/").status_code == 403

    form = {
        "username": "staff-wide", "is_active": "on", "user_permissions": [p.pk for p in user.user_permissions.all()],
        "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1", "memberships-0-role": "support",
        "memberships-0-id": str(Membership.objects.get(user=user).pk), "memberships-0-user": str(user.pk),
        "memberships-0-project": str(acme.project.pk),
    }  # fmt: skip
    page = freshly(signed_in("superuser")).post(f"/admin/users/user/{user.pk}/change/", form, follow=True)
    assert "Groups and permissions are removed" in page.content.decode()
    assert not user.user_permissions.exists()
    assert Membership.objects.get(user=user).role == "support"


def test_superusers_stay_superusers_with_a_role(acme: Tenant, other: Tenant) -> None:
    root_user = User.objects.get(username="root")
    Membership.objects.create(user=root_user, project=acme.project, role="viewer")

    assert signed_in("superuser").get(change_page(other.rows[Project])).status_code == 200


def test_a_blocked_member_may_nothing(acme: Tenant) -> None:
    member("staff", (acme.project, "owner"), is_active=False)
    user = User.objects.get(username="staff")

    assert not user.has_perm("otp.view_challenge")
    assert not user.has_module_perms("otp")
    assert user.get_all_permissions() == set()


def test_with_the_project_its_roles_are_gone(acme: Tenant, other: Tenant) -> None:
    """And nothing is left to see."""
    browser = member("staff", (other.project, "owner"))
    assert browser.get("/admin/otp/challenge/").status_code == 200

    Membership.objects.all().delete()

    assert browser.get("/admin/otp/challenge/").status_code == 403


@pytest.mark.parametrize("name", ["root", "staff"])
def test_nobody_with_a_role_touches_staff(name: str, acme: Tenant) -> None:
    """Roles are given by superusers: an owner would make themselves one."""
    browser = member("staff", (acme.project, "owner"))
    target = User.objects.get(username=name)

    assert browser.get(f"/admin/users/user/{target.pk}/change/").status_code == 404
    page = browser.get("/admin/users/user/?is_staff__exact=1").content.decode()
    assert str(target.pk) not in page
    assert str(acme.rows[User].pk) not in page


def test_alerts_are_those_of_the_own_senders(acme: Tenant, other: Tenant) -> None:
    from channels.models import Sender, SenderHealth

    codes = {acme.project.pk: "111", other.project.pk: "222", None: "333"}
    for row in Sender.objects.all():
        SenderHealth.objects.create(
            sender=row, alert=True, reason="misconfigured", provider_code=codes[row.project_id]
        )
    browser: Client = member("staff", (acme.project, "operator"))

    page = browser.get("/admin/").content.decode()
    shown = [code for code in ("(111)", "(222)", "(333)") if code in page]
    assert shown == ["(111)"]
