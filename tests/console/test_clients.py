"""Clients in the admin: staff create, change and switch them off; a secret is shown once and never again."""

import re
from typing import Any

import pytest
import structlog
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import reverse

from audit.models import AuditEvent
from core.config_models import ConfigVersion
from oidc import clients
from oidc.client_secrets import matches
from oidc.models import Client
from projects.config import ProjectConfig
from tests import factories
from tests.console.client_pages import LIST, act, add, change, post, values
from users.models import User

pytestmark = pytest.mark.django_db
SECRET = re.compile(r"shown only once: ([\w-]{43})")


# Secrets --------------------------------------------------------------------------------------------


def test_a_secret_is_created_shown_once_and_stored_as_a_hash(staff: Browser, project: ProjectConfig) -> None:
    """J5, K3"""
    with structlog.testing.capture_logs() as logs:
        page = add(staff, project)

    row = Client.objects.get()
    (secret,) = SECRET.findall(page)
    assert matches(secret, row.client_secret)
    assert secret not in row.client_secret
    again = staff.get(reverse("admin:oidc_client_change", args=[row.pk])).content.decode()
    listed = staff.get(reverse(LIST)).content.decode()
    history = staff.get(reverse("admin:oidc_client_history", args=[row.pk])).content.decode()
    written = str(list(AuditEvent.objects.values()))
    for shown in (again, listed, history, written, str(logs)):
        assert secret not in shown
        assert row.client_secret not in shown


def test_the_shown_secret_works_at_the_token_endpoint(staff: Browser, project: ProjectConfig) -> None:
    (secret,) = SECRET.findall(add(staff, project))

    def ask(word: str) -> int:
        form = {"client_id": "acme-shop", "client_secret": word, "token": "made-up"}
        return int(post(staff, "/oauth2/introspect/", **form).status_code)

    assert (ask(secret), ask(secret + "x"), ask("")) == (200, 401, 401)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_type": "public"}, id="public"),
        pytest.param({"jwks": "KEYS"}, id="with keys of its own"),
    ],
)
def test_a_client_that_needs_no_secret_gets_none(
    changes: dict[str, str], staff: Browser, project: ProjectConfig
) -> None:
    if "jwks" in changes:
        changes = {"jwks": factories.public_jwks()}
    page = add(staff, project, **changes)

    row = Client.objects.get()
    assert (row.client_secret, SECRET.findall(page)) == ("", [])
    refused = act(staff, "renew_secret", row)
    row.refresh_from_db()
    assert "has no secret" in refused
    assert row.client_secret == ""


def test_a_client_that_gives_up_its_keys_gets_a_secret(staff: Browser, project: ProjectConfig) -> None:
    add(staff, project, jwks=factories.public_jwks())
    row = Client.objects.get()

    (secret,) = SECRET.findall(change(staff, row, project))

    row.refresh_from_db()
    assert row.jwks is None
    assert matches(secret, row.client_secret)


def test_a_new_secret_takes_the_place_of_the_old_one_at_once(staff: Browser, project: ProjectConfig) -> None:
    """J5"""
    (old,) = SECRET.findall(add(staff, project))
    row = Client.objects.get()
    assert clients.client_of("acme-shop", project_id=project.id)  # now in memory

    (new,) = SECRET.findall(act(staff, "renew_secret", row))

    known = clients.client_of("acme-shop", project_id=project.id)
    assert known
    assert matches(new, known.client_secret)
    assert not matches(old, known.client_secret)
    assert AuditEvent.objects.latest("id").kind == "secret.renewed"
    assert new not in str(list(AuditEvent.objects.values()))


def test_saving_the_form_never_writes_the_secret(
    staff: Browser, project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One member of staff creates a new secret while another has the form open."""
    add(staff, project)
    row = Client.objects.get()
    from console.clients import ClientAdmin

    saved = ClientAdmin.save_model

    def slowly(self: ClientAdmin, *args: Any, **more: Any) -> None:
        Client.objects.filter(pk=row.pk).update(client_secret="made-meanwhile")
        saved(self, *args, **more)

    monkeypatch.setattr(ClientAdmin, "save_model", slowly)
    change(staff, row, project, name="Renamed", client_secret="typed by a stranger")

    row.refresh_from_db()
    assert (row.name, row.client_secret) == ("Renamed", "made-meanwhile")


# History and rights ---------------------------------------------------------------------------------


def test_the_history_tells_what_was_before_and_after(staff: Browser, project: ProjectConfig) -> None:
    """K6"""
    add(staff, project)
    row = Client.objects.get()

    change(
        staff,
        row,
        project,
        redirect_uris="https://acme.example/callback\r\nhttps://acme.example/second",
        skip_authorization=None,
        jwks=factories.public_jwks(),
    )

    event = AuditEvent.objects.latest("id")
    lines = "https://acme.example/callback\nhttps://acme.example/second"
    assert (event.kind, event.actor, event.project_id) == ("changed", "ops", project.id)
    assert (event.before["redirect_uris"], event.after["redirect_uris"]) == (
        "https://acme.example/callback",
        lines,
    )
    assert (event.before["skip_authorization"], event.after["skip_authorization"]) == (True, False)
    assert event.before["jwks"] is None
    assert set(event.after) == {"redirect_uris", "skip_authorization", "jwks"}
    history = staff.get(reverse("admin:oidc_client_history", args=[row.pk])).content.decode()
    assert "https://acme.example/second" in history
    assert "First-party" in history


def test_saving_without_a_change_changes_and_records_nothing(staff: Browser, project: ProjectConfig) -> None:
    add(staff, project)
    row, before = Client.objects.values().get(), AuditEvent.objects.count()

    change(staff, Client.objects.get(), project)

    assert AuditEvent.objects.count() == before
    assert {**Client.objects.values().get(), "updated": 0} == {**row, "updated": 0}


def test_a_save_is_seen_by_every_process(staff: Browser, project: ProjectConfig) -> None:
    add(staff, project)
    row = Client.objects.get()
    version = ConfigVersion.objects.get().value

    change(staff, row, project, is_active=None)

    assert ConfigVersion.objects.get().value > version
    assert clients.client_of("acme-shop", project_id=project.id) is None


def test_viewers_cannot_change_a_client(staff: Browser, project: ProjectConfig) -> None:
    """K4"""
    add(staff, project)
    row = Client.objects.get()
    support = User.objects.create_user(username="support", password="a-long-password-here")
    support.user_permissions.add(Permission.objects.get(codename="view_client"))
    staff.force_login(support)

    assert staff.get(reverse(LIST)).status_code == 200
    page = staff.get(reverse("admin:oidc_client_change", args=[row.pk]))
    assert page.status_code == 200
    assert row.client_secret not in page.content.decode()
    for path in ("admin:oidc_client_change", "admin:oidc_client_delete"):
        assert staff.post(reverse(path, args=[row.pk]), values(project, name="x")).status_code == 403
    assert staff.get(reverse("admin:oidc_client_add")).status_code == 403
    act(staff, "renew_secret", row)
    act(staff, "delete_selected", row)
    after = Client.objects.get()
    assert (after.name, after.client_secret) == (row.name, row.client_secret)


def test_people_who_log_in_by_phone_do_not_enter(client: Browser, project: ProjectConfig) -> None:
    """K1"""
    client.force_login(User.objects.create(project_id=project.id, phone=factories.PHONE))

    assert client.get(reverse(LIST)).status_code == 302


def test_the_page_brings_no_script_from_elsewhere_and_none_of_ours(
    staff: Browser, project: ProjectConfig
) -> None:
    add(staff, project)
    answer = staff.get(reverse("admin:oidc_client_change", args=[Client.objects.get().pk]))

    assert "http" not in answer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
