"""Configuration in memory: one version, seen at once, whatever is away."""

import pytest
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from projects import config
from projects.config import VERSION_KEY, Versioned, projects
from projects.kv import redis_client
from projects.models import ConfigVersion, Domain, LoginMethods, Project, TestNumber
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_value_is_loaded_once_for_each_version() -> None:
    loads: list[int] = []
    kept = Versioned(lambda: loads.append(1) or len(loads))  # type: ignore[func-returns-value] # counts

    assert [kept.get(1), kept.get(1), kept.get(2), kept.get(2), kept.get(1)] == [1, 1, 2, 2, 3]


def test_the_recent_value_is_that_of_the_version_that_was_met_last() -> None:
    """Whatever was asked for: one reading of the version serves all that a request needs."""
    asked: list[int] = []
    one: Versioned[int] = Versioned(lambda: asked.append(1) or len(asked))  # type: ignore[func-returns-value] # counts
    other = Versioned(lambda: "x")

    assert other.get(7) == "x"
    assert [one.recent(), one.recent()] == [1, 1]
    other.get(8)
    assert [one.recent(), one.get(8)] == [2, 2]
    config.publish(9)
    assert one.recent() == 3


def test_without_a_version_met_the_recent_value_is_read_as_any_other() -> None:
    factories.make_project()
    projects.clear()

    assert projects.recent().default == projects.get().default is not None


def test_what_a_process_met_long_ago_does_not_decide_for_a_request_or_a_sweep() -> None:
    """A process that did nothing meanwhile: another one has saved."""
    factories.make_project()
    met = config.current_version()
    projects.get(met)
    Project.objects.update(name="New")
    ConfigVersion.raise_number()
    now = ConfigVersion.objects.get().value
    client = redis_client()
    if client:
        client.set(VERSION_KEY, now)

    with config.one_reading():
        found = projects.recent().default
        assert found
        assert (found.name, config.current_version()) == ("New", now)

    Versioned.heard = met
    config.reconcile()
    assert Versioned.heard == now


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


def test_deleting_many_at_once_raises_the_version() -> None:
    """As the admin's list does it."""
    project = Project.objects.create(slug="acme", name="Acme")
    for number in ("+15005550199", "+15005550198"):
        TestNumber.objects.create(project=project, phone=number, code="424242", until="2099-01-01")
    before = config.current_version()

    TestNumber.objects.all().delete()

    assert config.current_version() == before + 1


def test_a_request_means_one_version_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    Project.objects.create(slug="acme", name="Acme")
    asked: list[int] = []
    real = config._ask_version

    def ask() -> int:
        asked.append(1)
        return real()

    monkeypatch.setattr(config, "_ask_version", ask)

    with config.one_reading():
        config.projects.get()
        before = config.current_version()
        ConfigVersion.raise_number()  # somebody else saves, and tells everybody
        assert config.current_version() == before
    assert len(asked) == 1

    with config.one_reading():
        config.current_version()
        Project.objects.create(slug="other", name="Other")  # what the request itself saves it knows
        assert config.current_version() > before
        config.projects.get(10**6)  # and what it learns along with the limits
        assert config.current_version() == 10**6
