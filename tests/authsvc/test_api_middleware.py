"""The short way to the API: it skips what only pages need, and nothing that protects."""

import pytest
from django.conf import settings
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def http() -> Client:
    factories.make_project()
    return Client()


def test_programs_get_no_cookies_no_language_and_no_policy_of_pages(http: Client) -> None:
    response = http.get("/api/nothing", headers={"Accept-Language": "es"})

    assert not response.cookies
    for name in ("Content-Language", "Content-Security-Policy", "X-Frame-Options", "Set-Cookie"):
        assert name not in response.headers


def test_they_get_what_protects_every_answer(http: Client) -> None:
    response = http.get("/api/nothing")

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Request-ID"]
    assert response["Content-Length"] == str(len(response.content))


def test_pages_go_the_long_way(http: Client) -> None:
    response = http.get("/login/", headers={"Accept-Language": "es"})

    assert response["Content-Language"] == "es"
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize("path", ["/apis/", "/apix", "/login/api/"])
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


def test_the_proxy_is_believed_here_as_everywhere() -> None:
    """C6: what comes before the short way is the middleware that knows proxies."""

    before = settings.MIDDLEWARE[: settings.MIDDLEWARE.index("authsvc.middleware.ApiMiddleware")]

    assert "authsvc.middleware.TrustedProxyMiddleware" in before
    assert "django.middleware.security.SecurityMiddleware" in before
