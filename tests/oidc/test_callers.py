"""Clients by name and by key, and the origins of their pages."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from oidc import cors
from oidc.clients import client_by_pk, client_of, clients
from oidc.models import Client
from projects.config import ProjectConfig
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "https://acme.example"
SHOP = "https://shop.example"


@pytest.fixture
def project() -> ProjectConfig:
    return factories.make_project()


@pytest.fixture
def client(project: ProjectConfig) -> Client:
    return factories.make_client(project)


@pytest.fixture
def shop(project: ProjectConfig) -> Client:
    return factories.make_client(project, client_id="shop", redirect_uris=f"{SHOP}/callback")


def test_a_client_is_known_by_name_and_by_pk(client: Client, project: ProjectConfig) -> None:
    assert client_of("acme-web", project_id=project.id) == client
    assert client_by_pk(client.pk, project_id=project.id) == client


def test_in_another_project_it_is_not(client: Client, project: ProjectConfig) -> None:
    """K8"""
    other = factories.make_project(slug="other", is_default=False)

    assert client_of("acme-web", project_id=other.id) is None
    assert client_by_pk(client.pk, project_id=other.id) is None
    assert client_by_pk(client.pk + 1, project_id=project.id) is None


def test_a_change_acts_at_once(client: Client, project: ProjectConfig) -> None:
    assert client_by_pk(client.pk, project_id=project.id)
    client.is_active = False
    client.save()

    assert client_by_pk(client.pk, project_id=project.id) is None
    assert not clients.get()
    assert not clients.get().by_pk


def test_pages_are_those_of_the_client_that_asks(
    client: Client, shop: Client, project: ProjectConfig
) -> None:
    """J21"""
    assert cors.allows(PAGE, project_id=project.id, client_id="acme-web")
    assert not cors.allows(PAGE, project_id=project.id, client_id="shop")
    assert not cors.allows(PAGE, project_id=project.id, client_id="nobody")
    assert cors.allows(PAGE, project_id=project.id)
    assert cors.allows(SHOP, project_id=project.id)
    other = factories.make_project(slug="other", is_default=False)
    assert not cors.allows(PAGE, project_id=other.id, client_id="acme-web")
    assert not cors.allows(PAGE, project_id=other.id)


def served(view: Callable[..., HttpResponse], request: HttpRequest) -> str | None:
    return view(request).headers.get("Access-Control-Allow-Origin")


def test_a_view_may_tell_who_asked(client: Client, shop: Client, rf: RequestFactory) -> None:
    """The form says it where there is one; a view that reads JSON finds out by itself."""

    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    by_form = cors.open_to_clients("POST")(answer)
    by_view = cors.open_to_clients("POST", client_id_of=lambda _request: "shop")(answer)

    for origin, form, view in ((PAGE, PAGE, None), (SHOP, None, SHOP)):
        request = rf.post("/", {"client_id": "acme-web"}, headers={"Origin": origin})
        assert served(by_form, request) == form
        assert served(by_view, request) == view


def test_a_preflight_does_not_call_the_view(client: Client, rf: RequestFactory) -> None:
    def never(_request: HttpRequest) -> str:
        raise AssertionError

    view = cors.open_to_clients("POST", client_id_of=never)(never)  # type: ignore[arg-type] # not called
    request = rf.options("/", headers={"Origin": PAGE, "Access-Control-Request-Method": "POST"})

    assert served(view, request) == PAGE
