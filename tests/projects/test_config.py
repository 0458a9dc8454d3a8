"""Configuration in memory: one version, seen at once, whatever is away."""

import pytest
from django.conf import LazySettings
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from core import config_version
from core.config_models import ConfigVersion
from core.config_version import VERSION_KEY, Cached
from core.redis import redis_client
from projects.config import projects
from projects.models import Domain, LoginMethods, Project, TestNumber
from tests import factories

pytestmark = pytest.mark.django_db


def saved_elsewhere() -> None:
    """Another process has saved something and published the version."""
    ConfigVersion.objects.update(value=F("value") + 1)
    client = redis_client()
    if client:
        client.set(VERSION_KEY, ConfigVersion.objects.get().value)


def test_a_value_is_loaded_once_for_each_version() -> None:
    loads: list[int] = []
    kept = Cached(lambda: loads.append(1) or len(loads))  # type: ignore[func-returns-value] # counts

    assert [kept.get(1), kept.get(1), kept.get(2), kept.get(2), kept.get(1)] == [1, 1, 2, 2, 3]


def test_what_is_pinned_is_one_version_of_everything() -> None:
    """Whatever was asked for first: one reading of the version serves all that a request needs."""
    loads: list[int] = []
    one: Cached[int] = Cached(lambda: loads.append(1) or len(loads))  # type: ignore[func-returns-value] # counts
    other = Cached(lambda: "x")

    with config_version.pinned():
        assert other.get(10**6) == "x"
        assert [one.get(), one.get()] == [1, 1]
        with config_version.pinned():
            assert (config_version.current(), one.get()) == (10**6, 1)
        config_version.publish(10**6 + 1)
        assert one.get() == 2
    assert config_version.current() != 10**6


def test_a_task_begun_later_sees_what_another_process_saved() -> None:
    factories.make_project()
    with config_version.pinned():
        projects.get()
    Project.objects.update(name="New")
    saved_elsewhere()

    with config_version.pinned():
        project = projects.get().default
    assert project
    assert project.name == "New"


def test_every_save_and_delete_raises_the_version() -> None:
    factories.make_project()
    seen = [config_version.current()]

    domain = Domain.objects.create(project=Project.objects.get(), host="login.acme.example")
    seen.append(config_version.current())
    domain.delete()
    seen.append(config_version.current())

    assert seen == sorted(set(seen))


def test_a_save_is_seen_by_the_next_request() -> None:
    project = factories.make_project()
    methods = LoginMethods.objects.get()
    methods.max_attempts = 3
    methods.save()

    assert projects.get().by_id[project.id].max_attempts == 3


def test_nothing_is_read_again_while_nothing_changes(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Decision 13: with Redis a login costs no query for its configuration, without one small one."""
    factories.make_project()
    projects.get()

    with django_assert_num_queries(0 if redis_client() else 1):
        projects.get()


def test_a_store_that_was_emptied_is_filled_from_the_database() -> None:
    factories.make_project()
    before = config_version.current()
    client = redis_client()
    if client:
        client.delete(VERSION_KEY)

    assert config_version.current() == before
    assert client is None or int(client.get(VERSION_KEY) or 0) == before


def test_a_store_that_is_away_is_no_obstacle(settings: LazySettings) -> None:
    project = factories.make_project()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    config_version.publish(99)

    assert config_version.current() == ConfigVersion.objects.get().value
    assert projects.get().by_id[project.id].slug == "acme"


def test_what_could_not_be_published_is_repaired(settings: LazySettings) -> None:
    factories.make_project()
    client = redis_client()
    if client:
        client.set(VERSION_KEY, 1)

    config_version.reconcile()

    assert config_version.current() == ConfigVersion.objects.get().value


def test_deleting_many_at_once_raises_the_version() -> None:
    """As the admin's list does it."""
    project = Project.objects.create(slug="acme", name="Acme")
    for number in ("+15005550199", "+15005550198"):
        TestNumber.objects.create(project=project, phone=number, code="424242", until="2099-01-01")
    before = config_version.current()

    TestNumber.objects.all().delete()

    assert config_version.current() == before + 1


def test_a_request_means_one_version_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    Project.objects.create(slug="acme", name="Acme")
    asked: list[int] = []
    real = config_version._ask

    def ask() -> int:
        asked.append(1)
        return real()

    monkeypatch.setattr(config_version, "_ask", ask)

    with config_version.pinned():
        projects.get()
        before = config_version.current()
        saved_elsewhere()
        assert config_version.current() == before
    assert len(asked) == 1

    with config_version.pinned():
        config_version.current()
        Project.objects.create(slug="other", name="Other")  # what the request itself saves it knows
        assert config_version.current() > before
        projects.get(10**6)  # and what it learns along with the limits
        assert config_version.current() == 10**6
