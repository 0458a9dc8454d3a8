"""The site of a request: looked up once, remembered for the version, and what helpers say when there is none."""

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from django.http import HttpRequest
from django.test import RequestFactory

from projects import origin
from projects.config import Closed, projects
from projects.models import Domain, Project
from projects.origin import (
    CLOSED_TEXTS,
    Misdirected,
    address_as_sent,
    address_of,
    origin_of,
    project_of,
    site_of,
)
from tests import factories

pytestmark = pytest.mark.django_db
HOST = "shop.example"


@pytest.fixture
def shop(settings: LazySettings) -> Project:
    settings.ALLOWED_HOSTS, settings.AUTHSVC_PUBLIC_URL, settings.INSECURE_HTTP = ["*"], "", False
    factories.make_project(senders=False)
    made = factories.make_project(slug="shop", is_default=False, senders=False)
    row = Project.objects.get(id=made.id)
    Domain.objects.create(project=row, host=HOST)
    return row


def request(host: str = HOST, *, secure: bool = True) -> HttpRequest:
    return RequestFactory().get("/", headers={"host": host}, secure=secure)


def test_a_request_has_the_origin_and_project_of_its_host(shop: Project) -> None:
    asked = request("SHOP.example:443")

    site = site_of(asked)

    assert (site.origin, site.scheme, site.host, site.closed) == (f"https://{HOST}", "https", HOST, None)
    assert site.project
    assert site.project.slug == "shop"
    assert origin_of(asked) == address_of(asked) == f"https://{HOST}"
    assert project_of(asked) == site.project
    assert address_as_sent(asked) == "https://SHOP.example:443"


def test_the_site_is_looked_up_once_in_a_request(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request()
    site = site_of(asked)

    monkeypatch.setattr(origin, "_look_up", lambda _request: pytest.fail("looked up again"))
    assert site_of(asked) is site


def test_equal_hosts_share_a_site_until_the_configuration_changes(shop: Project) -> None:
    first = site_of(request())

    assert site_of(request()) is first
    assert site_of(request(secure=False)) is not first
    shop.name = "New"
    shop.save()
    assert site_of(request()) is not first


@pytest.mark.parametrize("host", ["shop.example:8443", "127.1"])
def test_a_host_without_a_canonical_form_has_no_project(host: str, shop: Project) -> None:
    asked = request(host)

    for _ in range(2):
        with pytest.raises(Misdirected):
            site_of(asked)
    with pytest.raises(Misdirected):
        origin_of(asked)
    assert project_of(asked) is None
    assert address_of(asked) == f"https://{host}"


def test_a_database_error_is_raised_again_without_a_second_wait(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, tries = request(), list[int]()

    def fail() -> None:
        tries.append(1)
        raise DatabaseError

    monkeypatch.setattr(projects, "get", fail)
    for _ in range(3):
        with pytest.raises(DatabaseError):
            site_of(asked)
    assert len(tries) == 1


def test_the_number_of_remembered_hosts_is_limited(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origin, "_MAX_SITES", 2)

    for number in range(4):
        assert site_of(request(f"host{number}.example")).project

    assert len(projects.get().sites) == 2


def test_every_reason_for_a_closed_project_has_a_text() -> None:
    assert set(CLOSED_TEXTS) == set(Closed)


def test_an_archived_project_keeps_its_origin(shop: Project) -> None:
    from projects import archiving

    archiving.archive(shop)
    site = site_of(request())

    assert (site.origin, site.project, site.closed) == (f"https://{HOST}", None, Closed.ARCHIVED)
    assert project_of(request()) is None
