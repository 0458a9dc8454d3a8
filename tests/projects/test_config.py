"""Configuration in memory: one version, seen at once, whatever is away."""

import pytest
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from projects import config
from projects.config import VERSION_KEY, Versioned, projects
from projects.kv import redis_client
from projects.models import ConfigVersion, Domain, LoginMethods, Project
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_value_is_loaded_once_for_each_version() -> None:
    loads: list[int] = []
    kept = Versioned(lambda: loads.append(1) or len(loads))  # type: ignore[func-returns-value] # counts

    assert [kept.get(1), kept.get(1), kept.get(2), kept.get(2), kept.get(1)] == [1, 1, 2, 2, 3]


def test_every_save_and_delete_raises_the_version() -> None:
    factories.make_project()
    seen = [config.current_version()]

    domain = Domain.objects.create(project=Project.objects.get(), host="login.acme.example")
    seen.append(config.current_version())
    domain.delete()
    seen.append(config.current_version())

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
    before = config.current_version()
    client = redis_client()
    if client:
        client.delete(VERSION_KEY)

    assert config.current_version() == before
    assert client is None or int(client.get(VERSION_KEY) or 0) == before


def test_a_store_that_is_away_is_no_obstacle(settings: LazySettings) -> None:
    project = factories.make_project()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    config.publish(99)

    assert config.current_version() == ConfigVersion.objects.get().value
    assert projects.get().by_id[project.id].slug == "acme"


@pytest.mark.parametrize(
    ("host", "slug"),
    [
        ("login.acme.example", "acme"),
        ("login.acme.example:8443", "acme"),
        ("LOGIN.ACME.EXAMPLE", "acme"),
        ("unknown.example", "fallback"),
        ("[::1]:8000", "fallback"),
        ("[::1]", "fallback"),
    ],
)
def test_the_host_names_the_project(host: str, slug: str) -> None:
    factories.make_project(slug="fallback", name="Fallback")
    factories.make_project(slug="acme", is_default=False)
    Domain.objects.create(project=Project.objects.get(slug="acme"), host="login.acme.example")

    found = projects.get().for_host(host)

    assert found is not None
    assert found.slug == slug


def test_without_a_default_an_unknown_host_has_no_project() -> None:
    factories.make_project(is_default=False)

    assert projects.get().for_host("unknown.example") is None


def test_what_could_not_be_published_is_repaired(settings: LazySettings) -> None:
    factories.make_project()
    client = redis_client()
    if client:
        client.set(VERSION_KEY, 1)

    config.reconcile()

    assert config.current_version() == ConfigVersion.objects.get().value
