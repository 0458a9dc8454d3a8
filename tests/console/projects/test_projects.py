"""Projects as staff keep them: their hosts, the default mark, and sentences for what is refused."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import pre_save
from django.test import Client
from django.utils.html import escape

from channels.models import Sender
from console.project_forms import ProjectForm
from projects import archiving, removal
from projects.config import projects
from projects.models import Domain, LoginMethods, Project
from tests import factories
from tests.console.projects.support import LIST, PASSWORD, form, messages_of, save
from tests.threads import at_once
from users.models import User

pytestmark = pytest.mark.django_db


# Login methods and hosts ------------------------------------------------------------------------------


def test_login_methods_come_with_their_project(staff: Client) -> None:
    assert staff.get("/admin/projects/loginmethods/add/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"all_countries": None}, "Must name at least one country, or all"),
        (
            {"all_countries": None, "countries_allowed": ["HK"], "countries_pinned": ["GB"]},
            "Must be among the countries",
        ),
        ({"otp_valid_seconds": "60", "fallback_wait_seconds": "60"}, "Must be below the 60 seconds"),
        ({"otp_valid_seconds": "60", "resend_after_seconds": "60"}, "Must be below the 60 seconds"),
        ({"otp_valid_seconds": "60", "resend_after_seconds": "59", "fallback_wait_seconds": "59"}, ""),
        ({"all_countries": None, "countries_allowed": ["HK", "GB"], "countries_pinned": ["GB"]}, ""),
    ],
)
def test_the_rules_of_the_file_are_those_of_the_form(
    changes: dict[str, Any], words: str, staff: Client, acme: Project
) -> None:
    """The same rules as tests/ops/configfile/test_projects.py."""
    row = acme.login_methods
    names = (
        "identifier", "authentication", "verify_phone_by", "otp_length", "otp_valid_seconds", "resend_after_seconds",
        "max_attempts", "fallback_wait_seconds",
    )  # fmt: skip
    values = (
        {name: getattr(row, name) for name in names}
        | {"fallback_enabled": "on", "all_countries": "on"}
        | changes
    )
    before = LoginMethods.objects.values().get()

    page = staff.post(
        f"/admin/projects/loginmethods/{row.pk}/change/",
        {name: value for name, value in values.items() if value is not None},
    )

    if words:
        errors = page.context["adminform"].form.errors
        assert any(words in str(text) for texts in errors.values() for text in texts)
        assert LoginMethods.objects.values().get() == before
    else:
        assert page.status_code == 302
        assert LoginMethods.objects.values().get() != before


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("LOGIN.Acme.Example.", "login.acme.example"),
        ("login.acme.example:443", "login.acme.example"),
        ("login.acme.example:8443", "login.acme.example:8443"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_stored_in_its_one_spelling(typed: str, stored: str, staff: Client, acme: Project) -> None:
    assert save(staff, acme, typed) == []
    assert Domain.objects.get().host == stored


@pytest.mark.parametrize(
    "typed", ["https://login.acme.example", "a_b.example", "login.acme.example:0", "*.example", "a b"]
)
def test_what_is_no_host_is_refused_with_a_sentence(typed: str, staff: Client, acme: Project) -> None:
    assert save(staff, acme, typed) == ["A host name, with its port where that is not the usual one."]


@pytest.mark.parametrize("typed", ["login.acme.example", "LOGIN.acme.example.", "login.acme.example:8443"])
def test_a_host_of_another_project_is_refused_with_a_sentence(
    typed: str, staff: Client, acme: Project, beta: Project
) -> None:
    """D12: whatever its spelling or port."""
    Domain.objects.create(project=acme, host="login.acme.example")

    assert "This host belongs to the project Acme." in save(staff, beta, typed)


def test_two_spellings_in_one_form_are_a_duplicate(staff: Client, acme: Project) -> None:
    """D12: and no raw error of the database."""
    errors = save(staff, acme, "login.acme.example", "LOGIN.acme.example.")

    assert errors
    assert not any("constraint" in text.lower() for text in errors)


@pytest.fixture
def _both_forms_are_valid_before_either_is_saved() -> Iterator[None]:
    """On PostgreSQL; SQLite lets the second request validate only when the first is committed."""
    both = threading.Barrier(2)

    def wait(**_: object) -> None:
        if connection.vendor == "postgresql":
            both.wait(timeout=30)

    pre_save.connect(wait, sender=Project)
    yield
    pre_save.disconnect(wait, sender=Project)


@pytest.mark.django_db(transaction=True)
def test_one_host_for_two_projects_at_the_same_moment_is_a_sentence_for_the_second(
    acme: Project, beta: Project, request: pytest.FixtureRequest
) -> None:
    """In two real transactions, each of which finds the host free."""
    clients = [Client(), Client()]
    for number, one in enumerate(clients):
        one.force_login(User.objects.create_superuser(f"admin-{number}", PASSWORD))
    request.getfixturevalue("_both_forms_are_valid_before_either_is_saved")

    answers = at_once(
        [
            lambda: save(clients[0], acme, "login.shared.example"),
            lambda: save(clients[1], beta, "login.shared.example"),
        ]
    )

    owner = Domain.objects.get().project
    refusal = [f"This host belongs to the project {owner.name}.", "A project has this host already."]
    assert [] in answers
    assert [answer for answer in answers if answer != []] in ([refusal], [refusal[:1]], [refusal[::-1]])


# The default project ----------------------------------------------------------------------------------


def test_the_default_mark_is_not_just_taken_away(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    (text,) = save(staff, acme, is_default=None)

    assert text.startswith("This is the default project, which answers on hosts that no project claims")
    assert Project.objects.get(is_default=True) == acme


def test_the_default_mark_moves_in_one_step(staff: Client, acme: Project, beta: Project) -> None:
    """D12: no raw constraint name."""
    page = staff.post(f"{LIST}{beta.pk}/change/", form(beta, is_default="on"), follow=True)

    assert "Acme was the default project until now." in messages_of(page)
    assert Project.objects.get(is_default=True) == beta
    default = projects.get().default
    assert default
    assert default.slug == "beta"


@pytest.mark.parametrize("ends", ["archived", "deleted"])
def test_a_form_that_was_read_before_an_end_does_not_take_it_back(
    staff: Client, acme: Project, beta: Project, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D12: nor does it make such a project the default one."""
    begin, clean = (archiving.archive if ends == "archived" else removal.begin), ProjectForm.clean

    def clean_late(page: ProjectForm) -> Any:  # as Django's
        cleaned = clean(page)
        begin(Project.objects.get(pk=beta.pk))
        return cleaned

    monkeypatch.setattr(ProjectForm, "clean", clean_late)

    assert save(staff, beta, name="Renamed", is_default="on") == []

    row = Project.objects.get(pk=beta.pk)
    assert (row.name, row.archived_at is None, row.is_default) == ("Renamed", False, False)
    assert (row.deletion_began_at is None) is (ends == "archived")
    assert Project.objects.get(is_default=True) == acme


def test_an_archived_project_does_not_become_the_default(staff: Client, acme: Project, beta: Project) -> None:
    """D12."""
    beta.archived_at = beta.created_at
    beta.save()

    assert save(staff, beta, is_default="on") == ["An archived project cannot be the default one."]
    assert Project.objects.get(is_default=True) == acme


# Sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"channel": "sms", "provider": "memory"}, "Another active shared sender has this name"),
        ({"channel": "whatsapp", "provider": "memory"}, "Another active shared sender has this name"),
        (
            {"channel": "sms", "provider": "memory", "project": "acme"},
            "Another active sender of this project has this name",
        ),
        ({"channel": "sms", "provider": "meta"}, "must be one of twilio, vonage, http"),
    ],
)
def test_a_sender_that_cannot_be_stored_is_a_sentence(
    values: dict[str, str], words: str, staff: Client, acme: Project
) -> None:
    """D12: no raw constraint name."""
    owner = acme if "project" in values else None
    factories.make_sender("sms", owner, name="india")
    values = values | {"name": "india", "project": str(acme.pk) if owner else ""}
    before = Sender.objects.count()

    page = staff.post(
        "/admin/channels/sender/add/",
        values | {"is_active": "on", "template_name": "x", "template_languages": "en"},
    )

    text = page.content.decode()
    assert escape(words) in text
    assert "Constraint" not in text
    assert Sender.objects.count() == before


def test_no_constraint_speaks_by_its_raw_name() -> None:
    """D12: of what staff can save."""
    from django.db.models import BaseConstraint, UniqueConstraint

    for model in (Project, Domain, Sender):
        for constraint in model._meta.constraints:
            plain = isinstance(constraint, UniqueConstraint) and constraint.condition is None
            assert (
                plain or constraint.violation_error_message != BaseConstraint.default_violation_error_message
            )
