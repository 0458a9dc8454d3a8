"""Senders and test numbers in the admin: what they store, show and refuse."""

import re
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from channels.models import Sender
from projects.config import ProjectConfig
from projects.models import LoginMethods, TestNumber
from tests.console.sender_pages import sender_form
from tests.console.senders.conftest import PASSWORD
from users.models import User

# Senders ----------------------------------------------------------------------------------------------

SECRET = "very-secret-access-token"  # made up
WHATSAPP: dict[str, Any] = {
    "channel": "whatsapp",
    "provider": "meta",
    "is_active": "on",
    "phone_number_id": "100200300",
    "business_account_id": "500400300",
    "access_token": SECRET,
    "app_secret": "app-secret-value",
    "verify_token": "verify-token-value",
    "template_name": "one_time_password",
    "template_languages": "en, pt_BR es",
}


def save_sender(client: Client, sender: Sender | None = None, **values: Any) -> list[str]:
    path = f"/admin/channels/sender/{sender.pk}/change/" if sender else "/admin/channels/sender/add/"
    answer = client.post(path, sender_form(values))
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    return [f"{name}: {message}" for name, messages in errors.items() for message in messages]


@pytest.fixture
def own(staff: Client, project: ProjectConfig) -> Sender:
    assert save_sender(staff, project=str(project.id), **WHATSAPP) == []
    return Sender.objects.get(project_id=project.id)


def test_a_sender_is_stored_with_its_secrets_encrypted(own: Sender) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secrets FROM channels_sender WHERE project_id IS NOT NULL")
        stored = cursor.fetchone()[0]
    assert own.secrets["access_token"] == SECRET
    assert SECRET not in stored
    assert own.settings["template_languages"] == ["en", "pt_BR", "es"]


def test_secrets_are_never_shown_again(own: Sender, staff: Client) -> None:
    """K3, A9."""
    page = staff.get(f"/admin/channels/sender/{own.pk}/change/").content.decode()

    assert "Stored. Leave empty to keep it." in page
    for secret in (SECRET, "app-secret-value", "verify-token-value"):
        assert secret not in page


def test_an_empty_secret_keeps_the_stored_one(own: Sender, staff: Client) -> None:
    kept = {"access_token": "", "app_secret": "", "verify_token": ""}
    values = {**WHATSAPP, **kept, "phone_number_id": "999", "project": str(own.project_id)}

    assert save_sender(staff, own, **values) == []

    own.refresh_from_db()
    assert tuple(own.values[name] for name in ("phone_number_id", "access_token", "app_secret")) == (
        "999",
        SECRET,
        "app-secret-value",
    )


def test_a_stored_secret_can_be_dropped(own: Sender, staff: Client) -> None:
    own.secrets["app_secret_previous"] = "old"
    own.save()

    kept = {"access_token": "", "app_secret": "", "verify_token": "", "app_secret_previous": ""}
    save_sender(
        staff,
        own,
        **{**WHATSAPP, **kept, "project": str(own.project_id), "delete_secrets": ["app_secret_previous"]},
    )

    own.refresh_from_db()
    assert "app_secret_previous" not in own.secrets
    assert own.secrets["app_secret"] == "app-secret-value"


@pytest.mark.parametrize(
    "field",
    [
        "phone_number_id",
        "business_account_id",
        "access_token",
        "app_secret",
        "template_languages",
    ],
)
def test_a_provider_needs_its_fields(field: str, staff: Client, project: ProjectConfig) -> None:
    errors = save_sender(staff, project=str(project.id), **{**WHATSAPP, field: ""})

    assert any(error.startswith(f"meta_{field}: ") for error in errors)
    assert not Sender.objects.filter(project_id=project.id).exists()


def test_a_verify_token_is_made_where_none_is_typed(staff: Client, project: ProjectConfig) -> None:
    """And shown by the set-up page only, as a new one."""
    assert save_sender(staff, project=str(project.id), **{**WHATSAPP, "verify_token": ""}) == []

    token = Sender.objects.get(project_id=project.id).secrets["verify_token"]
    assert re.fullmatch(r"([a-z2-9]{4}-){5}[a-z2-9]{4}", token)


@pytest.mark.parametrize("languages", ["en; es", "12", "<script>"])
def test_template_languages_are_codes(languages: str, staff: Client, project: ProjectConfig) -> None:
    assert save_sender(staff, project=str(project.id), **{**WHATSAPP, "template_languages": languages})


def test_a_second_sender_of_one_project_and_channel_comes_behind_the_first(
    own: Sender, staff: Client, project: ProjectConfig
) -> None:
    assert save_sender(staff, project=str(project.id), **WHATSAPP) == []

    second = Sender.objects.exclude(pk=own.pk).get(project_id=project.id)
    assert (own.priority, second.priority) == (1, 2)


@pytest.mark.parametrize("order", ["0", "1001", "first"])
def test_an_order_is_a_small_number(order: str, own: Sender, staff: Client, project: ProjectConfig) -> None:
    errors = save_sender(staff, own, project=str(project.id), priority=order, **WHATSAPP)

    assert [error.partition(":")[0] for error in errors] == ["priority"]


def test_a_second_sender_can_be_put_in_front(own: Sender, staff: Client, project: ProjectConfig) -> None:
    own.priority = 5
    own.save()

    assert save_sender(staff, project=str(project.id), priority="1", name="india", **WHATSAPP) == []

    [first, last] = Sender.objects.filter(project_id=project.id).order_by(*Sender.TRIED)
    assert (first.name, last.pk) == ("india", own.pk)


@pytest.mark.parametrize("change", [{"name": "other"}, {"name": ""}, {"is_active": None}])
def test_a_sender_that_a_route_names_keeps_its_name_and_stays(
    change: dict[str, Any], own: Sender, staff: Client, project: ProjectConfig
) -> None:
    assert save_sender(staff, own, project=str(project.id), name="india", **WHATSAPP) == []
    LoginMethods.objects.update(
        routing=[{"countries": ["IN"], "order": ["whatsapp", "sms"], "sender": "india"}]
    )

    values = {**WHATSAPP, "project": str(project.id), "name": "india", **change}
    errors = save_sender(staff, own, **values)

    assert "name: Routes of these projects name this sender: Acme" in errors
    own.refresh_from_db()
    assert (own.name, own.is_active) == ("india", True)
    assert save_sender(staff, own, **{**values, "name": "india", "is_active": "on", "priority": "3"}) == []


def test_a_sender_that_a_route_names_is_not_deleted(
    own: Sender, staff: Client, project: ProjectConfig
) -> None:
    own.name = "india"
    own.save()
    LoginMethods.objects.update(
        routing=[{"countries": ["IN"], "order": ["whatsapp", "sms"], "sender": "india"}]
    )

    page = staff.post(
        f"/admin/channels/sender/{own.pk}/delete/", {"post": "yes"}, follow=True
    ).content.decode()

    assert "routes of these projects name this sender: Acme" in page
    assert Sender.objects.filter(pk=own.pk).exists()


def test_a_sender_that_a_mode_needs_cannot_be_switched_off(staff: Client) -> None:
    """D13."""
    sms = Sender.objects.get(channel="sms")

    errors = save_sender(staff, sms, channel="sms", provider="memory", is_active=None)

    assert any("Acme" in error for error in errors), errors
    sms.refresh_from_db()
    assert sms.is_active


def test_a_sender_that_a_mode_needs_cannot_be_deleted(staff: Client) -> None:
    """D13."""
    sms = Sender.objects.get(channel="sms")

    page = staff.post(
        f"/admin/channels/sender/{sms.pk}/delete/", {"post": "yes"}, follow=True
    ).content.decode()

    assert Sender.objects.filter(pk=sms.pk).exists()
    assert "Acme" in page
    assert "was deleted" not in page
    assert not AuditEvent.objects.filter(kind="deleted").exists()


def test_senders_of_which_a_mode_needs_one_are_not_deleted_together(own: Sender, staff: Client) -> None:
    """All or none, and the page says which of the two it was."""
    rows = [str(pk) for pk in Sender.objects.values_list("pk", flat=True)]

    page = staff.post(
        "/admin/channels/sender/",
        {"action": "delete_selected", "_selected_action": rows, "post": "yes"},
        follow=True,
    ).content.decode()

    assert Sender.objects.count() == len(rows)
    assert "Acme" in page
    assert "Successfully deleted" not in page
    assert not AuditEvent.objects.filter(kind="deleted").exists()


def test_a_sender_that_no_mode_needs_can_be_deleted(own: Sender, staff: Client) -> None:
    """The shared one serves the project again."""
    staff.post(f"/admin/channels/sender/{own.pk}/delete/", {"post": "yes"})

    assert not Sender.objects.filter(pk=own.pk).exists()


def test_the_address_for_metas_callback_is_shown(own: Sender, staff: Client) -> None:
    assert (
        "http://testserver/whatsapp/webhook"
        in staff.get(f"/admin/channels/sender/{own.pk}/change/").content.decode()
    )


def test_the_address_of_a_request_is_not_that_of_another_at_the_same_moment(
    rf: RequestFactory, settings: Settings, project: ProjectConfig
) -> None:
    """All threads of a process share the page's object."""
    settings.AUTHSVC_PUBLIC_URL = ""
    page, root = admin.site._registry[Sender], User.objects.create_superuser("root", PASSWORD)
    requests = [rf.get("/", headers={"Host": host}) for host in ("localhost", "127.0.0.1")]
    for request in requests:
        request.user = root

    page.get_form(requests[0])
    copy_context().run(page.get_form, requests[1])  # as in another thread

    shown: Any = getattr(page, "meta_callback")  # noqa: B009 # one of those that the page makes itself
    assert shown(Sender()).startswith("http://localhost/")


# Test numbers ---------------------------------------------------------------------------------------


def test_a_test_number_is_stored_with_its_code_hidden(staff: Client, project: ProjectConfig) -> None:
    """A10, A9."""
    until = timezone.now().date() + timedelta(days=30)
    values = {
        "project": str(project.id),
        "phone": "+1 500 555 0199",
        "code": "424242",
        "until": until.isoformat(),
    }

    staff.post("/admin/projects/testnumber/add/", values)

    number = TestNumber.objects.get()
    assert (number.phone, number.code) == ("+15005550199", "424242")
    assert "424242" not in staff.get(f"/admin/projects/testnumber/{number.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("phone", "123"), ("code", "12345"), ("code", "abcdef"), ("code", ""), ("until", "soon")],
)
def test_a_wrong_test_number_is_refused(
    field: str, value: str, staff: Client, project: ProjectConfig
) -> None:
    values = {"project": str(project.id), "phone": "+15005550199", "code": "424242", "until": "2030-01-31"}

    assert staff.post("/admin/projects/testnumber/add/", values | {field: value}).status_code == 200
    assert not TestNumber.objects.exists()
