"""Which spelling of a host the views see, and which paths keep the one that was sent."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import DisallowedHost
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from authsvc import middleware
from authsvc.middleware import OriginMiddleware
from projects.models import Domain
from tests import factories

pytestmark = pytest.mark.django_db

DOMAIN = "login.acme.example"


@pytest.fixture(autouse=True)
def _project(settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = [f".{DOMAIN}", "127.0.0.1", "localhost"]
    project = factories.make_project()
    Domain.objects.create(project_id=project.id, host=DOMAIN)


def seen(host: str, path: str = "/login/", *, scheme: str = "https", **headers: str) -> HttpRequest:
    """The request as a view gets it."""
    requests: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        requests.append(request)
        return HttpResponse()

    request = RequestFactory().get(path, headers={"host": host, **headers}, secure=scheme == "https")
    OriginMiddleware(view)(request)
    (only,) = requests
    return only


@pytest.mark.parametrize(
    "host", [DOMAIN, "LOGIN.ACME.EXAMPLE", f"{DOMAIN}.", f"{DOMAIN}:443", "Login.Acme.Example.:443"]
)
def test_every_spelling_is_one_host(host: str) -> None:
    request = seen(host)

    assert request.get_host() == DOMAIN
    assert request.build_absolute_uri("/x") == f"https://{DOMAIN}/x"


@pytest.mark.parametrize(
    ("host", "sent", "kept"),
    [
        (f"{DOMAIN}:443", f"https://{DOMAIN}:443", f"https://{DOMAIN}"),
        ("LOGIN.ACME.EXAMPLE", "https://LOGIN.ACME.EXAMPLE", f"https://{DOMAIN}"),
        (f"{DOMAIN}:443", "https://evil.example", "https://evil.example"),
        (f"{DOMAIN}:443", f"http://{DOMAIN}:443", f"http://{DOMAIN}:443"),
        (f"{DOMAIN}:443", "null", "null"),
        (DOMAIN, f"https://{DOMAIN}", f"https://{DOMAIN}"),
    ],
)
def test_only_the_origin_of_the_same_spelling_follows(host: str, sent: str, kept: str) -> None:
    """The check against foreign forms compares them: what another site sends must stay what it is."""
    assert seen(host, origin=sent).META["HTTP_ORIGIN"] == kept


@pytest.mark.parametrize(
    "path", ["/api/v1/challenges", "/whatsapp/webhook", "/sms/twilio/status", "/static/x.css", "/demo/"]
)
def test_paths_of_programs_keep_the_host_that_was_sent(path: str) -> None:
    assert seen(f"{DOMAIN}:443", path).META["HTTP_HOST"] == f"{DOMAIN}:443"


@pytest.mark.parametrize("path", ["/apis", "/whatsapp", "/login/api/", "/.well-known/openid-configuration"])
def test_all_others_do_not(path: str) -> None:
    assert seen(f"{DOMAIN}:443", path).META["HTTP_HOST"] == DOMAIN


@pytest.mark.parametrize("path", ["/login/", "/api/v1/challenges", "/static/x.css"])
def test_a_host_that_is_not_allowed_is_refused_everywhere(path: str) -> None:
    """J14."""
    with pytest.raises(DisallowedHost):
        seen("evil.example", path)


@pytest.mark.parametrize("host", [f"{DOMAIN}:8443", f"other.{DOMAIN}:1"])
def test_a_host_without_a_canonical_form_is_left_to_the_view(host: str) -> None:
    """It answers 421, each in its own format."""
    assert seen(host).META["HTTP_HOST"] == host


def test_while_the_database_is_away_the_view_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_request: HttpRequest) -> Any:
        raise OperationalError("away")

    monkeypatch.setattr(middleware, "site_of", away)

    assert seen(f"{DOMAIN}:443").META["HTTP_HOST"] == f"{DOMAIN}:443"


@pytest.mark.parametrize(("insecure", "scheme"), [(False, "https"), (True, "http")])
def test_in_production_it_is_https_whatever_arrived(
    insecure: bool, scheme: str, settings: LazySettings
) -> None:
    """A proxy that ends TLS may forget to say so."""
    settings.INSECURE_HTTP = insecure

    request = seen(DOMAIN, scheme="http")

    assert (request.scheme, request.is_secure()) == (scheme, scheme == "https")
