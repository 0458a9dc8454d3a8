"""New project: one form makes a project that can log people in as soon as it has senders, and says what to copy."""

import re
import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from console import project_creation
from oidc import client_secrets
from oidc.models import Client
from projects.config import projects
from projects.models import Domain, LoginMethods, Project
from tests import factories
from tests.console.projects.new_project_form import NEW, errors_of, filled, post, words_of
from tests.console.projects.support import PASSWORD, messages_of
from tests.threads import at_once
from users.models import User

pytestmark = pytest.mark.django_db


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Project, Domain, LoginMethods, Client, AuditEvent))


def test_one_form_makes_all_of_it(staff: Browser) -> None:
    page = post(staff)

    project = Project.objects.get()
    assert (project.name, project.slug, project.is_default) == ("Acme Shop", "acme-shop", True)
    assert [row.host for row in project.domains.all()] == ["login.acme.example"]
    methods = project.login_methods
    assert (methods.countries_allowed, methods.verify_phone_by) == (["HK", "GB"], "whatsapp_or_sms")
    client = Client.objects.get()
    assert (client.project, client.name, client.is_confidential) == (project, "Acme Shop", True)
    assert client.redirect_uris == "https://acme.example/callback"
    assert projects.get().claim_of("login.acme.example").project is not None
    assert page.redirect_chain == [(f"/admin/oidc/client/{client.pk}/snippets/", 302)]


def test_the_secret_is_shown_once_and_is_right(staff: Browser) -> None:
    page = post(staff)

    shown = re.search(r"shown only once: (\S+)", messages_of(page))
    assert shown
    assert client_secrets.matches(shown[1], Client.objects.get().client_secret)
    again = staff.get(page.redirect_chain[-1][0])
    assert shown[1] not in words_of(again)


def test_a_page_gets_no_secret(staff: Browser) -> None:
    page = post(staff, kind="page", redirect_uris="https://acme.example/")

    client = Client.objects.get()
    assert (client.client_type, client.client_secret, client.pkce_required) == ("public", "", True)
    assert "secret of" not in messages_of(page)


@pytest.mark.parametrize(
    ("kind", "uris"),
    [
        ("server", ["http://localhost/oidc/callback/", "http://localhost/auth", "http://localhost/callback"]),
        ("page", ["http://localhost/"]),
    ],
)
def test_without_a_redirect_uri_the_examples_work(kind: str, uris: list[str], staff: Browser) -> None:
    post(staff, kind=kind, redirect_uris="")

    assert Client.objects.get().redirect_uris.split() == uris


def test_what_is_promised_before_there_are_senders_is_said(staff: Browser) -> None:
    said = messages_of(post(staff))

    assert "Nobody can log in yet: no sender for WhatsApp, SMS." in said
    assert "/admin/channels/sender/add/" in said
    assert "/admin/channels/rehearsal/" in said


def test_nothing_is_missing_when_shared_senders_serve_it(staff: Browser) -> None:
    for channel in ("whatsapp", "sms"):
        factories.make_sender(channel)

    assert "Nobody can log in" not in messages_of(post(staff))


def test_only_the_missing_channel_is_named(staff: Browser) -> None:
    factories.make_sender("sms")

    assert "no sender for WhatsApp." in messages_of(post(staff))
    assert "no sender" not in messages_of(
        post(staff, name="B", domain="b.example", verify_phone_by="sms_only")
    )


def test_the_first_project_needs_no_domain_and_a_second_does(staff: Browser) -> None:
    assert post(staff, domain="").status_code == 200
    assert Project.objects.get().is_default

    page = post(staff, name="Second", domain="")
    assert page.status_code == 400
    assert errors_of(page) == {"domain": ["Name one: another project answers on all other hosts."]}

    post(staff, name="Second", domain="login.second.example")
    assert not Project.objects.get(slug="second").is_default


def test_slugs_are_found_for_any_name(staff: Browser) -> None:
    for nth, name in enumerate(("Acme!", "ACME", "acme", "香港", "x" * 60)):
        page = post(staff, name=name, domain=f"login{nth}.example")
        assert page.redirect_chain, errors_of(page)

    slugs = list(Project.objects.order_by("created_at").values_list("slug", flat=True))
    assert slugs == ["acme", "acme-2", "acme-3", "project", "x" * 50]


def test_all_countries_is_a_choice_of_its_own(staff: Browser) -> None:
    post(staff, countries=None, all_countries="on")

    assert LoginMethods.objects.get().countries_allowed == ["all"]


# Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "x" * 61}, "name", "at most 60 characters"),
        ({"domain": "https://x"}, "domain", "A host name, with its port where that is not the usual one."),
        ({"domain": "a b"}, "domain", "A host name"),
        ({"countries": None}, "countries", "Must name at least one country"),
        ({"countries": ["XX"]}, "countries", "XX is not one of the available choices"),
        ({"verify_phone_by": "pigeon"}, "verify_phone_by", "pigeon is not one of the available choices"),
        ({"kind": "toaster"}, "kind", "toaster is not one of the available choices"),
        ({"redirect_uris": "http://acme.example/"}, "redirect_uris", "must be https, or http on loopback"),
        ({"redirect_uris": "https://a.example/#x"}, "redirect_uris", "must not have a fragment"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(
    changes: dict[str, Any], field: str, words: str, staff: Browser
) -> None:
    before = rows()
    page = post(staff, **changes)

    assert page.status_code == 400
    assert list(errors_of(page)) == [field]
    assert words in errors_of(page)[field][0]
    assert rows() == before


def test_it_is_validated_as_a_whole(staff: Browser) -> None:
    """All that is wrong at once, with what was typed."""
    page = post(staff, domain="a b", countries=None, redirect_uris="ftp://x")

    assert list(errors_of(page)) == ["countries", "redirect_uris", "domain"]
    assert 'value="Acme Shop"' in page.content.decode()


def test_a_host_of_another_project_is_refused(staff: Browser, acme: Project) -> None:
    Domain.objects.create(project=acme, host="login.acme.example")

    page = post(staff, domain="LOGIN.acme.example.:8443")
    assert errors_of(page) == {"domain": ["This host belongs to the project Acme."]}


@pytest.mark.parametrize("permissions", [("view_project",), ("view_project", "add_project"), ("add_client",)])
def test_it_needs_the_right_to_add_projects_and_clients(
    permissions: tuple[str, ...], client: Browser
) -> None:
    user = User.objects.create_user("some", PASSWORD)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    before = rows()

    assert client.get(NEW).status_code == 403
    assert client.post(NEW, filled()).status_code == 403
    assert rows() == before


def test_both_rights_are_enough(client: Browser) -> None:
    user = User.objects.create_user("some", PASSWORD)
    names = ("add_project", "add_client", "view_client")
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    client.force_login(user)

    assert post(client).status_code == 200
    assert Project.objects.exists()


def test_it_is_in_the_history(staff: Browser) -> None:
    post(staff)

    events = AuditEvent.objects.order_by("pk").values_list("kind", "object_type")
    assert list(events) == [
        ("secret.renewed", "oidc.client"),
        ("added", "projects.project"),
        ("added", "oidc.client"),
    ]


def test_the_pages_ask_few_questions(
    staff: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(15):
        assert staff.get(NEW).status_code == 200
    post(staff)
    with django_assert_max_num_queries(15):
        assert staff.get(f"/admin/oidc/client/{Client.objects.get().pk}/snippets/").status_code == 200


# At the same moment -----------------------------------------------------------------------------------


@pytest.fixture
def _both_are_valid_before_either_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(2)
    create = project_creation.create

    def meet(new: project_creation.NewProject) -> project_creation.Created:
        meeting.wait(timeout=10)
        return create(new)

    monkeypatch.setattr(project_creation, "create", meet)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_take_one_domain_get_one_project_and_one_sentence(
    acme: Project, request: pytest.FixtureRequest
) -> None:
    """In two real transactions, each of which finds the host free: the second stores nothing of it."""
    browsers = [Browser(), Browser()]
    for number, browser in enumerate(browsers):
        browser.force_login(User.objects.create_superuser(f"admin-{number}", PASSWORD))
    request.getfixturevalue("_both_are_valid_before_either_is_saved")

    pages: Any = at_once(
        [lambda: browsers[0].post(NEW, filled(name="One")), lambda: browsers[1].post(NEW, filled(name="Two"))]
    )

    assert sorted(page.status_code for page in pages) == [302, 400]
    (refused,) = [page for page in pages if page.status_code == 400]
    assert "This host belongs to the project" in errors_of(refused)["domain"][0]
    assert (Domain.objects.count(), Project.objects.count(), Client.objects.count()) == (1, 2, 1)
