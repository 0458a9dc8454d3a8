"""Who wants which event: in memory, seen at once by everybody, whatever changed it."""

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from core import config_version
from core.ids import new_id
from events import services, store
from events.models import Endpoint, Event, EventType
from events.subscriptions import subscriptions
from projects.config import ProjectConfig
from projects.models import Project
from tests import factories
from tests.threads import at_once
from users.models import User

LOGIN, FAILED = EventType.LOGIN_SUCCEEDED, EventType.DELIVERY_FAILED


@pytest.fixture
def project(db: None) -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def staff(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser(username="ops", password="a-long-password-here"))
    return client


def record(project: ProjectConfig, kind: EventType = LOGIN) -> int:
    return services.record(type=kind, project_ids=[project.id], data={})


def test_subscriptions_are_not_read_again_while_nothing_changes(
    project: ProjectConfig, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.make_endpoint(project, FAILED)

    with config_version.pinned():
        subscriptions.get()
        with django_assert_num_queries(0):
            assert services.is_wanted(FAILED)
            assert services.is_wanted(FAILED, project_id=project.id)
            assert not services.is_wanted(LOGIN)
            assert not services.is_wanted(FAILED, project_id=new_id())
            assert record(project) == 0


def test_many_events_are_written_at_once(
    project: ProjectConfig, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Every project its own, for each of its URLs, with ids of their own."""
    other = factories.make_project(slug="other", is_default=False)
    factories.make_endpoint(project)
    factories.make_endpoint(project, url="https://acme.example/second")
    factories.make_endpoint(other, FAILED)
    subscriptions.get()
    news = [(owner.id, {"nth": nth}) for nth in range(250) for owner in (project, other)]

    with django_assert_max_num_queries(5):
        assert services.record_each(type=FAILED, items=news) == 750
        assert services.record_each(type=LOGIN, items=[(other.id, {})]) == 0

    assert [data["nth"] for _, data in factories.told("other")] == list(range(250))
    assert Event.objects.filter(endpoint__project__slug="acme").count() == 500


def test_what_is_written_is_what_is_signed_and_due_at_once(project: ProjectConfig) -> None:
    """Any text that JSON can hold comes out of the database as it went in."""
    factories.make_endpoint(project)
    odd = 'a "quote", a \\ and a \0, •••, \u2028 😀 %s {x}'
    services.record(type=LOGIN, project_ids=[project.id], data={"text": odd})

    event = Event.objects.get()
    assert factories.told() == [("login.succeeded", {"text": odd})]
    assert (event.type, event.tries, event.outcome, event.delivered_at) == ("login.succeeded", 0, "", None)
    assert event.due_at == event.created_at


def by_save(endpoint: Endpoint, _staff: Client) -> None:
    endpoint.is_active = False
    endpoint.save()


def by_delete(endpoint: Endpoint, _staff: Client) -> None:
    endpoint.delete()


def by_types(endpoint: Endpoint, _staff: Client) -> None:
    endpoint.types = ["sender.alert"]
    endpoint.save()


def by_the_projects_end(endpoint: Endpoint, _staff: Client) -> None:
    Project.objects.get(id=endpoint.project_id).delete()


def by_the_admin(endpoint: Endpoint, staff: Client) -> None:
    values = {"project": str(endpoint.project_id), "url": endpoint.url, "types": ["delivery.failed"]}
    staff.post(reverse("admin:events_endpoint_change", args=[endpoint.id]), values)


def by_the_admins_list(endpoint: Endpoint, staff: Client) -> None:
    action = {"action": "delete_selected", "_selected_action": [str(endpoint.id)], "post": "yes"}
    staff.post(reverse("admin:events_endpoint_changelist"), action)


def by_its_own_wish(endpoint: Endpoint, _staff: Client) -> None:
    services._deactivate(endpoint.id)


@pytest.mark.parametrize(
    "change",
    [
        by_save,
        by_delete,
        by_types,
        by_the_projects_end,
        by_the_admin,
        by_the_admins_list,
        by_its_own_wish,
    ],
)
def test_every_change_is_announced(
    change: Callable[[Endpoint, Client], None], project: ProjectConfig, staff: Client
) -> None:
    endpoint = factories.make_endpoint(project)
    before = config_version.current()
    assert services.is_wanted(LOGIN, project_id=project.id)

    change(endpoint, staff)

    assert config_version.current() > before
    assert not subscriptions.get().endpoints(project.id, LOGIN)
    assert record(project) == 0


def test_a_lost_key_takes_no_login_with_it(project: ProjectConfig, settings: Settings) -> None:
    """A secret that nobody can read is needed for posting only."""
    from cryptography.fernet import Fernet

    factories.make_endpoint(project)
    settings.AUTHSVC_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    subscriptions.clear()

    assert record(project) == 1


def new_event(endpoint_id: uuid.UUID) -> store.NewEvent:
    return store.NewEvent(id=new_id(), endpoint_id=endpoint_id, body="{}")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_url_that_is_deleted_waits_for_the_login_that_is_under_way() -> None:
    """Neither of them fails, and the last event goes with its URL."""
    endpoint = factories.make_endpoint(factories.make_project())
    written, deleted = threading.Event(), threading.Event()
    order: list[str] = []

    def log_in() -> None:
        with transaction.atomic():
            assert store.insert([new_event(endpoint.id)], kind=LOGIN, now=endpoint.created_at) == 1
            written.set()
            assert not deleted.wait(0.5)
            order.append("login")

    def delete() -> None:
        assert written.wait(10)
        endpoint.delete()
        order.append("delete")
        deleted.set()

    assert at_once([log_in, delete]) == [None, None]
    assert order == ["login", "delete"]
    assert not Event.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_login_waits_for_the_deletion_that_is_under_way() -> None:
    endpoint = factories.make_endpoint(factories.make_project())
    event, now = new_event(endpoint.id), endpoint.created_at
    going, written = threading.Event(), threading.Event()

    def delete() -> None:
        with transaction.atomic():
            endpoint.delete()
            going.set()
            assert not written.wait(0.5)

    def log_in() -> int:
        assert going.wait(10)
        count = store.insert([event], kind=LOGIN, now=now)
        written.set()
        return count

    assert at_once([delete, log_in]) == [None, 0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_write_for_one_url_side_by_side() -> None:
    """Logins of one project do not queue up behind each other."""
    endpoint = factories.make_endpoint(factories.make_project())
    together = threading.Barrier(8)

    def log_in() -> None:
        with transaction.atomic():
            store.insert([new_event(endpoint.id)], kind=LOGIN, now=endpoint.created_at)
            together.wait(timeout=10)  # all of them hold it at the same time

    assert at_once([log_in] * 8) == [None] * 8
    assert Event.objects.count() == 8
    assert connection.vendor == "postgresql"
