"""Rehearse a login: the codes are on the page of the session that started it, and nowhere else."""

import html
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.kinds import Kind
from audit.models import AuditEvent
from channels.models import Rehearsal
from core.config_models import ConfigVersion
from otp import send
from projects.config import ProjectConfig
from projects.models import Domain, Project
from tests import factories
from tests.login.conftest import Browser
from users.models import User

pytestmark = pytest.mark.django_db
LIST = "/admin/channels/rehearsal/"
PASSWORD = "a long enough password"  # made up


def staff_browser(name: str, *permissions: str) -> Client:
    browser = Client()
    user = User.objects.create_user(name, PASSWORD, is_superuser=not permissions)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    browser.force_login(user)
    return browser


@pytest.fixture
def ann(project: ProjectConfig) -> Client:
    return staff_browser("ann", "add_rehearsal", "view_rehearsal", "view_auditevent")


def start(browser: Client, project: ProjectConfig, **outcomes: str) -> tuple[Rehearsal, str]:
    """The rehearsal and the address of its page."""
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered"} | outcomes
    answer = browser.post(f"{LIST}start/", form)
    assert answer.status_code == 302, answer.content
    return Rehearsal.objects.get(ended_at=None), answer["Location"]


def log_in(project: ProjectConfig, row: Rehearsal) -> Browser:
    """Somebody types the number; the workers do their part."""
    person = Browser(REMOTE_ADDR="203.0.113.50")
    assert person.ask(row.phone).status_code == 302
    for delivery in factories.deliveries(person.challenge_id):
        send.send_delivery(delivery_id=delivery.id)
    return person


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_a_whole_rehearsal(ann: Client, project: ProjectConfig) -> None:
    row, address = start(ann, project)
    assert "No message yet." in text(ann.get(address))
    person = log_in(project, row)

    code, page = person.code, text(ann.get(address))
    assert code in page
    assert "WhatsApp: delivered" in page
    person.enter(code)
    assert person.is_signed_in
    # It is of no use any more, so it is not shown any more.
    assert code not in text(ann.get(address))
    assert "verified" in text(ann.get(address))


@pytest.mark.parametrize("outcome", ["failed", "silent"])
def test_no_code_is_shown_that_no_message_has_brought(
    outcome: str, ann: Client, project: ProjectConfig
) -> None:
    row, address = start(ann, project, whatsapp=outcome, sms="failed")
    person = log_in(project, row)

    page = text(ann.get(address))
    assert person.code not in page
    assert {"failed": "WhatsApp: failed (unreachable)", "silent": "WhatsApp: accepted"}[outcome] in page


def test_the_fallback_can_be_seen(ann: Client, project: ProjectConfig) -> None:
    row, address = start(ann, project, whatsapp="failed")
    person = log_in(project, row)

    page = text(ann.get(address))
    assert "WhatsApp: failed" in page
    assert "SMS: delivered" in page
    assert person.code in page


# Nobody else -------------------------------------------------------------------------------------------


def others(row: Rehearsal) -> dict[str, Client]:
    again = Client()
    again.force_login(User.objects.get(username="ann"))
    return {
        "a superuser": staff_browser("root"),
        "another member of staff": staff_browser("bob", "add_rehearsal", "view_rehearsal"),
        "the same person in another session": again,
        "nobody": Client(),
    }


def test_nobody_else_sees_it(ann: Client, project: ProjectConfig) -> None:
    """K5: there is no such page for them, whatever their rights."""
    row, address = start(ann, project)
    person = log_in(project, row)

    for who, browser in others(row).items():
        wanted = 302 if who == "nobody" else 404
        assert browser.get(address).status_code == wanted, who
        assert browser.post(address.replace("/phone/", "/end/")).status_code == wanted, who
        for page in (LIST, f"{LIST}{row.pk}/change/", f"/admin/otp/challenge/{person.challenge_id}/change/"):
            assert person.code not in text(browser.get(page)), (who, page)
    assert Rehearsal.objects.get(pk=row.pk).ended_at is None


def test_its_own_other_pages_show_no_code(ann: Client, project: ProjectConfig) -> None:
    row, _address = start(ann, project)
    person = log_in(project, row)

    for page in (LIST, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/history/"):
        answer = ann.get(page)
        assert answer.status_code == 200
        assert person.code not in text(answer)
        assert row.phone not in text(answer)


def test_the_page_is_kept_by_no_cache(ann: Client, project: ProjectConfig) -> None:
    _row, address = start(ann, project)

    assert "no-store" in ann.get(address)["Cache-Control"]


def test_no_log_has_the_code(
    ann: Client, project: ProjectConfig, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    row, address = start(ann, project)
    person = log_in(project, row)
    assert person.code in text(ann.get(address))

    printed = capsys.readouterr()
    for said in (caplog.text, printed.out, printed.err):
        assert person.code not in said
        assert row.phone not in said


def test_people_who_have_an_account_cannot_be_rehearsed(ann: Client, project: ProjectConfig) -> None:
    """K5: the number is never the visitor's choice, and no person can have it."""
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered", "phone": factories.PHONE}
    ann.post(f"{LIST}start/", form)

    assert Rehearsal.objects.get().phone.startswith("+120255501")


# Rights, record, end ------------------------------------------------------------------------------------


def test_it_needs_the_right_to_start_one(project: ProjectConfig) -> None:
    viewer = staff_browser("eve", "view_rehearsal")
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered"}

    assert viewer.post(f"{LIST}start/", form).status_code == 403
    assert "Start a rehearsal" not in text(viewer.get(LIST))
    assert not Rehearsal.objects.exists()


@pytest.mark.parametrize("path", ["start/", "{}/end/"])
def test_a_link_changes_nothing(path: str, ann: Client, project: ProjectConfig) -> None:
    row, _address = start(ann, project)

    assert ann.get(LIST + path.format(row.pk)).status_code == 405
    assert Rehearsal.objects.get().ended_at is None


@pytest.mark.parametrize(
    "changes", [{"project": ""}, {"project": "x"}, {"whatsapp": "explodes"}, {"sms": ""}]
)
def test_a_wrong_form_starts_nothing(changes: dict[str, str], ann: Client, project: ProjectConfig) -> None:
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered"} | changes
    page = ann.post(f"{LIST}start/", form, follow=True)

    assert "No rehearsal was started" in text(page)
    assert not Rehearsal.objects.exists()


def test_an_archived_project_is_not_rehearsed(ann: Client, project: ProjectConfig) -> None:
    Project.objects.update(archived_at=timezone.now())
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered"}
    ann.post(f"{LIST}start/", form)

    assert not Rehearsal.objects.exists()


def test_every_rehearsal_is_recorded(ann: Client, project: ProjectConfig) -> None:
    row, address = start(ann, project)
    ann.post(address.replace("/phone/", "/end/"))

    row.refresh_from_db()
    assert row.staff == User.objects.get(username="ann")
    assert row.ended_at is not None
    events = AuditEvent.objects.filter(object_id=str(row.pk)).order_by("pk")
    assert [event.kind for event in events] == [Kind.ADDED, Kind.ACTED]
    assert "is over" in text(ann.get(address))
    listed = text(staff_browser("root").get(LIST))
    assert "ann" in listed
    assert "+1 •••• ••••" in listed


def test_after_its_end_the_page_says_so(ann: Client, project: ProjectConfig) -> None:
    row, address = start(ann, project)
    Rehearsal.objects.filter(pk=row.pk).update(ends_at=timezone.now() - timedelta(seconds=1))
    ConfigVersion.bump()

    page = text(ann.get(address))
    assert "is over" in page
    assert "data-refresh" not in page


def test_the_list_leads_back_to_a_running_one(ann: Client, project: ProjectConfig) -> None:
    _row, address = start(ann, project)

    assert f'href="{address}"' in text(ann.get(LIST))
    assert address not in text(staff_browser("root").get(LIST))


def test_one_host_for_both_is_said(ann: Client, project: ProjectConfig) -> None:
    """A login in the same browser ends the session of the admin, on a host that both share."""
    _row, address = start(ann, project)
    assert "private window" in text(ann.get(address))

    Domain.objects.create(project_id=project.id, host="login.acme.example")
    page = text(ann.get(address))
    assert "private window" not in page
    assert "login.acme.example/login/" in page


def test_the_number_of_statements_is_constant(
    ann: Client, project: ProjectConfig, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    row, address = start(ann, project)
    for _ in range(3):
        log_in(project, row)

    for page in (address, LIST):
        with django_assert_max_num_queries(15):
            assert ann.get(page).status_code == 200


def test_when_all_numbers_are_taken_it_says_so(
    ann: Client, project: ProjectConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("users.fictional.NUMBERS", ())
    form = {"project": str(project.id), "whatsapp": "delivered", "sms": "delivered"}
    page = ann.post(f"{LIST}start/", form, follow=True)

    assert "All fictional numbers are in use" in text(page)
