"""A client is switched off or deleted: what it was given opens nothing any more."""

import uuid

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from oidc import clients, retention, services, tokens
from oidc.models import Client, Consent, LogoutNotice, TokenFamily
from projects.config import ProjectConfig
from tests import factories
from tests.console.client_pages import LIST, act, change, post, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def given(project: ProjectConfig) -> tuple[Client, str, str]:
    """A client, and the access and refresh token of one of its users."""
    row = factories.make_client(project, backchannel_logout_uri="https://acme.example/out")
    signed = sign_in(row)
    user_id = TokenFamily.objects.get().user_id
    services.record_consent(user_id=user_id, client=row, scopes=["openid"])
    return row, signed.access_token, signed.refresh_token


def opens(browser: Browser, access: str) -> int:
    return browser.get("/oauth2/userinfo/", headers={"Authorization": f"Bearer {access}"}).status_code


def refreshes(browser: Browser, refresh: str) -> tuple[int, str]:
    fields = {"grant_type": "refresh_token", "client_id": "acme-web", "refresh_token": refresh}
    answer = post(browser, "/oauth2/token/", **fields)
    return answer.status_code, answer.json().get("error", "")


def test_tokens_of_a_client_that_is_off_open_nothing_until_it_is_on_again(
    given: tuple[Client, str, str], staff: Browser, project: ProjectConfig
) -> None:
    row, access, refresh = given
    assert opens(staff, access) == 200
    form: dict[str, object] = {"client_type": None, "client_id": None, "name": "Acme shop"}

    change(staff, row, project, **form, is_active=None)
    assert opens(staff, access) == 401
    assert refreshes(staff, refresh) == (401, "invalid_client")
    assert tokens.find_access(access, project_id=project.id) is None

    change(staff, row, project, **form)
    assert opens(staff, access) == 200
    assert refreshes(staff, refresh)[0] == 200


@pytest.mark.parametrize("way", ["page", "action"])
def test_deleting_asks_first_and_takes_all_tokens_with_it(
    way: str, given: tuple[Client, str, str], staff: Browser, project: ProjectConfig
) -> None:
    row, access, refresh = given
    family = TokenFamily.objects.get()
    LogoutNotice.objects.create(
        client=row, issuer="x", sub=family.user_id, sid=family.sid, created_at=timezone.now()
    )
    path = reverse("admin:oidc_client_delete", args=[row.pk])
    asked = staff.get(path).content.decode() if way == "page" else act(staff, "delete_selected", row)
    assert "Are you sure" in asked
    assert "Token families" in asked or "token families" in asked.lower()
    assert Client.objects.exists()

    if way == "page":
        staff.post(path, {"post": "yes"})
    else:
        form = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        staff.post(reverse(LIST), form)

    assert not any(model._default_manager.exists() for model in (Client, TokenFamily, Consent, LogoutNotice))
    assert clients.client_of("acme-web", project_id=project.id) is None
    assert opens(staff, access) == 401
    assert refreshes(staff, refresh) == (401, "invalid_client")
    assert AuditEvent.objects.filter(kind="deleted", object_id=str(row.pk)).exists()


def test_many_families_go_in_small_steps(given: tuple[Client, str, str]) -> None:
    row, _access, _refresh = given
    family = TokenFamily.objects.get()
    for _ in range(7):
        family.pk = uuid.uuid4()
        family.save(force_insert=True)

    retention.remove_client(row, batch=3)

    assert not TokenFamily.objects.exists()
    assert not Client.objects.exists()
