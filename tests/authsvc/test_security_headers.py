"""What every answer of the service tells a browser, wherever it comes from: pages, errors, admin, programs, files."""

import pytest
from django.conf import LazySettings
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db

HOST = "testserver"
HOSTED = ["/login/", "/nowhere/", "/login/code/"]
PAGES = [*HOSTED, "/admin/login/"]
PROGRAMS = ["/api/nowhere", "/api/schema/"]
KEYS = ["/.well-known/openid-configuration", "/oauth2/jwks/"]


@pytest.fixture
def http() -> Client:
    factories.make_project()
    return Client()


def policy(header: str) -> dict[str, list[str]]:
    """The directives of a content security policy."""
    parts = (part.split() for part in header.split(";") if part.strip())
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", [*PAGES, *PROGRAMS])
def test_no_answer_is_guessed_at_or_tells_where_one_came_from(path: str, http: Client) -> None:
    response = http.get(path)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert "Server" not in response.headers
    assert "X-Powered-By" not in response.headers


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_shown_in_a_frame(path: str, http: Client) -> None:
    response = http.get(path, follow=True)

    assert response["X-Frame-Options"] == "DENY"
    assert policy(response["Content-Security-Policy"])["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("path", HOSTED)
def test_scripts_and_styles_are_ours_and_carry_the_nonce_of_the_answer(path: str, http: Client) -> None:
    directives = policy(http.get(path, follow=True)["Content-Security-Policy"])

    for name in ("script-src", "style-src"):
        assert "'self'" in directives[name]
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "data:"} & set(directives[name])
    assert directives["default-src"] == ["'self'"]
    assert (directives["object-src"], directives["base-uri"]) == (["'none'"], ["'none'"])


@pytest.mark.parametrize("path", ["/login/", "/nowhere/"])
def test_every_inline_script_has_the_nonce(path: str, http: Client) -> None:
    response = http.get(path)
    nonces = [
        value.removeprefix("'nonce-").rstrip("'")
        for value in policy(response["Content-Security-Policy"]).get("script-src", [])
        if value.startswith("'nonce-")
    ]
    tags = [tag for tag in response.content.decode().split("<script")[1:] if " src=" not in tag.split(">")[0]]

    assert all(f'nonce="{nonces[0]}"' in tag for tag in tags)


def test_no_nonce_is_used_twice(http: Client) -> None:
    headers = {http.get("/login/")["Content-Security-Policy"] for _ in range(3)}
    nonces = [header for header in headers if "nonce-" in header]

    assert len(nonces) in (0, 3)


@pytest.mark.parametrize("path", [*PAGES, *PROGRAMS])
@pytest.mark.parametrize(
    ("seconds", "header"), [(0, None), (63_072_000, "max-age=63072000; includeSubDomains")]
)
def test_browsers_are_told_to_stay_with_https(
    path: str, seconds: int, header: str | None, http: Client, settings: LazySettings
) -> None:
    """In production, over https; the demo must not make a browser refuse http on localhost for two years."""
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = seconds, bool(seconds)

    response = http.get(path, secure=True)

    assert response.headers.get("Strict-Transport-Security") == header


@pytest.mark.parametrize("path", ["/login/", "/login/code/", "/account/", "/admin/login/", "/nowhere/"])
def test_pages_of_people_are_not_stored(path: str, http: Client) -> None:
    """A shared computer's back button shows nobody's number."""
    response = http.get(path)

    assert "no-store" in response["Cache-Control"] or "no-cache" in response["Cache-Control"]


@pytest.mark.parametrize("path", [*KEYS, *PROGRAMS, "/healthz"])
def test_what_programs_ask_for_begins_no_session(path: str, http: Client) -> None:
    assert not http.get(path).cookies


@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/users/user/", "/account/", "/admin/projects/project/add/", "/account/sessions/"],
)
def test_nothing_is_shown_to_who_is_not_signed_in(path: str, http: Client) -> None:
    response = http.get(path)

    assert response.status_code in (302, 303, 405)
    assert factories.PHONE not in response.content.decode()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
@pytest.mark.parametrize("path", ["/login/", "/healthz", "/api/schema/"])
def test_other_methods_are_refused_everywhere(method: str, path: str, http: Client) -> None:
    response = getattr(http, method)(path)

    assert response.status_code in (403, 405)
