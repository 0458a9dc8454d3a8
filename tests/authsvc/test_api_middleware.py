"""The short way of programs, callers of the API and providers: it skips what only pages need, and nothing that
protects."""

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve
from prometheus_client import REGISTRY

from authsvc.middleware import ApiMiddleware
from tests import factories
from webhooks.registry import WEBHOOKS

pytestmark = pytest.mark.django_db


@pytest.fixture
def http() -> Client:
    factories.make_project()
    return Client()


PROGRAMS = ["/api/nothing", *sorted(WEBHOOKS)]


@pytest.mark.parametrize("path", PROGRAMS)
def test_programs_get_no_cookies_no_language_and_no_policy_of_pages(path: str, http: Client) -> None:
    response = http.post(path, headers={"Accept-Language": "es"})

    assert not response.cookies
    for name in ("Content-Language", "Content-Security-Policy", "X-Frame-Options", "Set-Cookie"):
        assert name not in response.headers


@pytest.mark.parametrize("path", PROGRAMS)
def test_they_get_what_protects_every_answer(path: str, http: Client) -> None:
    response = http.post(path)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Request-ID"]
    assert response["Content-Length"] == str(len(response.content))


def test_pages_go_the_long_way(http: Client) -> None:
    response = http.get("/login/", headers={"Accept-Language": "es"})

    assert response["Content-Language"] == "es"
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize(
    "path", ["/apis/", "/apix", "/login/api/", "/whatsapp/webhook/", "/whatsapp/", "//whatsapp/webhook"]
)
def test_what_only_looks_like_it_is_no_api(http: Client, path: str) -> None:
    response = http.get(path)

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/api/schema/", "/api/v1/challenges", "/api/nothing"])
def test_a_host_that_is_not_ours_is_refused(http: Client, path: str) -> None:
    """J14"""
    response = http.get(path, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_request"


@pytest.mark.parametrize("path", sorted(WEBHOOKS))
def test_providers_reach_the_view_of_the_table_of_paths(path: str) -> None:
    """And the metrics name it as before."""

    def long_way(_request: WSGIRequest) -> HttpResponse:
        raise AssertionError

    request = RequestFactory().put(path)
    response = ApiMiddleware(long_way)(request)  # type: ignore[arg-type] # a request of WSGI, as all are

    assert response.status_code == 405
    assert request.resolver_match
    assert request.resolver_match.func is resolve(path).func
    assert request.resolver_match.view_name == resolve(path).view_name


@pytest.mark.parametrize("path", sorted(WEBHOOKS))
def test_a_provider_at_a_host_that_is_not_ours_is_refused(path: str, http: Client) -> None:
    """J14"""
    assert http.post(path, headers={"Host": "evil.example"}).status_code == 400


def test_reports_are_timed_under_the_name_of_their_view(http: Client) -> None:
    labels = {"view": resolve("/sms/http/status").view_name, "status": "401"}
    before = REGISTRY.get_sample_value("authsvc_http_request_seconds_count", labels) or 0

    http.post("/sms/http/status")

    assert REGISTRY.get_sample_value("authsvc_http_request_seconds_count", labels) == before + 1


def test_the_proxy_is_believed_here_as_everywhere() -> None:
    """C6: what comes before the short way is the middleware that knows proxies."""

    before = settings.MIDDLEWARE[: settings.MIDDLEWARE.index("authsvc.middleware.ApiMiddleware")]

    assert "authsvc.middleware.TrustedProxyMiddleware" in before
    assert "django.middleware.security.SecurityMiddleware" in before
