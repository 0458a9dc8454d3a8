"""The set-up list on the index, read from the database."""

import html
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels import health
from channels.breaker import Source
from channels.models import Sender, SenderReports
from channels.types import FailureReason
from console import setup_facts
from console.setup_list import Setup
from core.config_models import ConfigVersion
from projects.models import LoginMethods, Project
from tests import factories
from users import fictional
from users.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"  # made up


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", PASSWORD))
    return client


def setup_of(browser: Client, path: str = "/admin/") -> Setup | None:
    answer = browser.get(path)
    assert answer.status_code == 200
    shown: Setup | None = answer.context.get("setup")
    return shown


def states(browser: Client) -> str:
    setup = setup_of(browser, "/admin/setup/")
    assert setup
    return "".join(step.state.value[0] for step in setup.steps)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_an_empty_database_opens_on_it(root: Client) -> None:
    page = root.get("/admin/")

    assert states(root) == "nllll"
    assert "0 of 5 steps are done." in text(page)
    assert 'href="/admin/projects/project/add/"' in text(page)


def test_each_step_turns_by_itself(root: Client) -> None:
    """From nothing to the first login, in the order of the list."""
    project = factories.make_project(senders=False)
    assert states(root) == "dndll"
    factories.make_sender("whatsapp")
    assert states(root) == "dndll"
    factories.make_sender("sms")
    assert states(root) == "dddnl"
    factories.make_client(project)
    assert states(root) == "ddddn"
    User.objects.create(project_id=project.id, phone=factories.PHONE, last_login=timezone.now())

    assert states(root) == "ddddd"
    assert setup_of(root) is None  # gone from the index
    assert "A first login" not in text(root.get("/admin/"))
    assert "5 of 5 steps are done." in text(root.get("/admin/setup/"))


def test_a_rehearsal_is_no_login(root: Client) -> None:
    project = factories.make_project()
    factories.make_client(project)
    User.objects.create(project_id=project.id, phone=fictional.NUMBERS[7], last_login=timezone.now())

    assert states(root) == "ddddn"


def test_an_account_without_a_login_is_none(root: Client) -> None:
    project = factories.make_project()
    factories.make_client(project)
    User.objects.create(project_id=project.id, phone=factories.PHONE)

    assert states(root) == "ddddn"


def test_a_project_without_countries_is_not_set_up(root: Client) -> None:
    factories.make_project()
    LoginMethods.objects.update(countries_allowed=[])
    ConfigVersion.bump()

    assert states(root)[2] != "d"
    assert "Must name at least one country" in text(root.get("/admin/"))


def test_a_switched_off_client_does_not_count(root: Client) -> None:
    factories.make_client(factories.make_project(), is_active=False)

    assert states(root) == "dddnl"


def test_a_failing_sender_is_named_with_its_remedy(root: Client) -> None:
    factories.make_client(factories.make_project())
    sender = Sender.objects.get(channel="sms")
    for _ in range(5):
        health.failed(sender.id, source=Source.CALL, reason=FailureReason.MISCONFIGURED)

    assert states(root) == "dnddl"
    page = text(root.get("/admin/setup/"))
    assert "Shared · SMS: The provider refuses this sender. Check its credentials" in page


def test_missing_reports_are_named(root: Client) -> None:
    factories.make_client(factories.make_project())
    sender = Sender.objects.get(channel="whatsapp")
    SenderReports.objects.create(sender=sender, missing_since=timezone.now() - timedelta(minutes=5))

    assert states(root) == "dnddl"
    assert "Shared · WhatsApp: " in text(root.get("/admin/setup/"))


def test_trouble_of_a_sender_that_does_not_serve_the_project_is_not_its_trouble(root: Client) -> None:
    project = factories.make_project()
    factories.make_client(project)
    sender = Sender.objects.get(channel="sms")
    SenderReports.objects.create(sender=sender, missing_since=timezone.now())
    factories.make_sender("sms", Project.objects.get())

    assert states(root) == "ddddn"


@pytest.mark.parametrize("nth", [0, 1])
def test_trouble_of_any_sender_that_serves_the_project_is_its_trouble(nth: int, root: Client) -> None:
    """Whichever of several senders of a channel the database gives first."""
    factories.make_client(factories.make_project())
    both = [Sender.objects.get(channel="sms"), factories.make_sender("sms")]
    SenderReports.objects.create(sender=both[nth], missing_since=timezone.now() - timedelta(minutes=5))

    assert states(root) == "dnddl"


def test_who_may_not_see_senders_is_told_of_no_trouble(client: Client) -> None:
    factories.make_client(factories.make_project())
    sender = Sender.objects.get(channel="whatsapp")
    SenderReports.objects.create(sender=sender, missing_since=timezone.now() - timedelta(minutes=5))
    user = User.objects.create_user("some", PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="view_project"))
    client.force_login(user)

    assert "Shared · WhatsApp: " not in text(client.get("/admin/setup/"))


def test_it_is_about_the_default_project(root: Client) -> None:
    factories.make_project(slug="beta", name="Beta", is_default=False)
    assert "Beta" in text(root.get("/admin/setup/"))
    factories.make_project()

    setup = setup_of(root, "/admin/setup/")
    assert setup
    assert setup.steps[0].why == "Acme"


def test_an_archived_project_is_none(root: Client) -> None:
    factories.make_project()
    Project.objects.update(is_default=False, archived_at=timezone.now())

    assert states(root) == "nllll"


def test_who_sees_no_projects_sees_no_list(client: Client) -> None:
    client.force_login(User.objects.create_user("some", PASSWORD))

    assert setup_of(client) is None
    assert client.get("/admin/setup/").status_code == 403


def test_nobody_is_led_to_a_page_that_refuses_them(client: Client) -> None:
    user = User.objects.create_user("some", PASSWORD)
    user.user_permissions.add(Permission.objects.get(codename="view_project"))
    client.force_login(user)
    assert [step.link for step in setup_of(client).steps] == [""] * 5  # type: ignore[union-attr] # they see it

    factories.make_client(factories.make_project())
    links = [step.link for step in setup_of(client).steps]  # type: ignore[union-attr] # they see it
    assert links[:4] == [""] * 4
    assert links[4].endswith("/login/")  # everybody's page


def test_every_link_opens(root: Client) -> None:
    for _ in range(2):
        setup = setup_of(root, "/admin/setup/")
        assert setup
        for step in setup.steps:
            for link in filter(None, (step.link, step.other_link)):
                assert root.get(link, follow=True).status_code == 200, link
        if not Project.objects.exists():
            factories.make_client(factories.make_project())


def test_it_costs_at_most_eight_statements(
    root: Client, rf: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.make_client(factories.make_project())
    request = rf.get("/admin/")
    request.user = User.objects.get(username="root")
    setup_facts.setup_of(request)  # the configuration is in memory from now on
    with CaptureQueriesContext(connection) as asked:
        setup_facts.setup_of(request)
    assert len(asked) <= 8, [query["sql"] for query in asked]

    for page in ("/admin/", "/admin/setup/"):
        with django_assert_max_num_queries(15):
            root.get(page)


def test_accounts_of_rehearsals_are_marked(root: Client) -> None:
    project = factories.make_project()
    for number in (factories.PHONE, fictional.NUMBERS[7]):
        User.objects.create(project_id=project.id, phone=number)

    page = text(root.get("/admin/users/user/"))
    assert "+1 •••• •••• 07 (test)" in page
    assert "67 (test)" not in page
