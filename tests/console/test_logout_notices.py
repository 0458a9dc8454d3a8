"""Log-out notices in the admin: seen, and posted again on demand."""

import uuid
from datetime import timedelta

import httpx
import pytest
import respx
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from oidc import backchannel
from oidc.models import Client, LogoutNotice
from tests import factories
from users.models import User

pytestmark = pytest.mark.django_db
LIST = "admin:oidc_logoutnotice_changelist"
URI = "https://acme.example/logged-out"


@pytest.fixture
def staff(client: Browser) -> Browser:
    client.force_login(User.objects.create_superuser(username="ops", password="a-long-password-here"))
    return client


@pytest.fixture
def notice() -> LogoutNotice:
    """One that was given up."""
    row = factories.make_client(factories.make_project(), backchannel_logout_uri=URI)
    return LogoutNotice.objects.create(
        client=row, issuer="http://testserver", sub=uuid.uuid4(), sid=uuid.uuid4(),
        created_at=timezone.now() - timedelta(hours=1), tries=5, outcome="500",
    )  # fmt: skip


def notice_now() -> LogoutNotice:
    return LogoutNotice.objects.get()


def again(staff: Browser, *notices: LogoutNotice) -> str:
    form = {"action": "send_again", "_selected_action": [str(notice.id) for notice in notices]}
    return staff.post(reverse(LIST), form, follow=True).content.decode()


@respx.mock
def test_a_notice_is_seen_and_sent_again(notice: LogoutNotice, staff: Browser) -> None:
    told = respx.post(URI).mock(return_value=httpx.Response(200))
    listed = staff.get(reverse(LIST)).content.decode()
    shown = staff.get(reverse("admin:oidc_logoutnotice_change", args=[notice.id])).content.decode()
    assert "Acme shop" in listed
    assert ">500<" in listed.replace(" ", "").replace("\n", "")
    assert str(notice.sid) in shown

    assert "1 will be sent again" in again(staff, notice)
    notice.refresh_from_db()
    assert notice.due_at is not None
    assert (notice.tries, notice.outcome, notice.delivered_at) == (0, "", None)

    assert backchannel.post_due(seconds=5) == 1
    assert (told.call_count, notice_now().outcome, notice_now().due_at) == (1, "200", None)
    assert notice_now().delivered_at


@pytest.mark.parametrize("change", [{"is_active": False}, {"backchannel_logout_uri": ""}])
def test_an_inactive_client_or_one_without_an_address_gets_no_notice(
    change: dict[str, object], notice: LogoutNotice, staff: Browser
) -> None:
    Client.objects.update(**change)

    assert "0 will be sent again" in again(staff, notice)
    notice.refresh_from_db()
    assert (notice.due_at, notice.tries, notice.outcome) == (None, 5, "500")


def test_notices_cannot_be_added_changed_or_deleted(notice: LogoutNotice, staff: Browser) -> None:
    """K4"""
    assert staff.get(reverse("admin:oidc_logoutnotice_add")).status_code == 403
    for page in ("change", "delete"):
        path = reverse(f"admin:oidc_logoutnotice_{page}", args=[notice.id])
        assert staff.post(path, {"post": "yes", "tries": "0"}).status_code == 403
    assert LogoutNotice.objects.get().tries == 5


def test_viewers_cannot_send_notices_again(notice: LogoutNotice, client: Browser) -> None:
    """K4"""
    support = User.objects.create_user(username="support", password="a-long-password-here")
    support.user_permissions.add(Permission.objects.get(codename="view_logoutnotice"))
    client.force_login(support)

    assert client.get(reverse(LIST)).status_code == 200
    again(client, notice)
    assert LogoutNotice.objects.get().due_at is None


@pytest.mark.parametrize("page", ["client", "signingkey", "logoutnotice"])
def test_the_menu_leads_to_each_page_only_with_permission(page: str, staff: Browser) -> None:
    path = reverse(f"admin:oidc_{page}_changelist")

    assert f'href="{path}"' in staff.get("/admin/").content.decode()
    assert staff.get(path).status_code == 200
    staff.logout()
    assert staff.get(path)["Location"].startswith("/admin/login/")
