"""One origin for each project and domain, whatever way Host spells it: what applications and browsers see of it."""

import json
from typing import Any

import jwt
import pytest
from django.conf import settings as current_settings
from django.test import Client as Http

from oidc.models import Client
from otp.models import Challenge
from projects.models import Domain, Project
from tests import factories
from tests.login.conftest import Browser, Page
from tests.oidc.app import App, answer_of
from tests.oidc.test_dpop import proof

pytestmark = pytest.mark.django_db
SHOP, ORIGIN = "shop.example.com", "http://shop.example.com"
CONFIGURATION = "/.well-known/openid-configuration"
# Of requests that arrive by http: the tests' mode is no production.
SAME = [
    "shop.example.com.",
    "SHOP.example.com",
    "Shop.Example.Com.:80",
    "shop.example.com:80",
    "shop.example.com:080",
]
OTHERS = [
    "shop.example.com:443",
    "shop.example.com:1",
    "shop.example.com.:1",
    "shop.example.com:8443",
    "shop.example.com:65536",
]


@pytest.fixture
def shop(app: App, settings: Any) -> App:
    """The project Shop on a host of its own, beside the default project."""
    settings.ALLOWED_HOSTS = ["testserver", SHOP]
    project = factories.make_project(slug="shop", name="Shop", is_default=False)
    Domain.objects.create(project_id=project.id, host=SHOP)
    return App(client=factories.make_client(project, client_id="shop-web"), browser=Browser())


def at(shop: App, host: str) -> App:
    """The same application and a new browser at a spelling of its host."""
    browser, http = Browser(HTTP_HOST=host), Http(enforce_csrf_checks=True, HTTP_HOST=host)
    return App(client=shop.client, browser=browser, http=http)


@pytest.mark.parametrize("host", [SHOP, *SAME])
def test_every_spelling_of_a_host_has_the_same_issuer(host: str, shop: App) -> None:
    """L3."""
    page = Http(HTTP_HOST=host).get(CONFIGURATION)

    assert page.status_code == 200
    assert page.json()["issuer"] == ORIGIN
    addresses = [value for name, value in page.json().items() if name.endswith(("_endpoint", "_uri"))]
    assert addresses
    assert all(value.startswith(f"{ORIGIN}/") for value in addresses)


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CONFIGURATION), ("GET", "/.well-known/jwks.json"), ("POST", "/oauth2/token/"), ("POST", "/oauth2/par/"),
        ("POST", "/oauth2/introspect/"), ("POST", "/oauth2/revoke_token/"), ("GET", "/oauth2/userinfo/"),
        ("GET", "/oauth2/authorize/?client_id=shop-web"), ("GET", "/oauth2/logout/"), ("GET", "/login/"),
        ("GET", "/login/status/"), ("GET", "/account/"), ("GET", "/"),
        ("POST", "/api/v1/challenges"), ("GET", "/api/v1/challenges/x"), ("POST", "/api/v1/challenges/x/verify"),
    ],
)  # fmt: skip
def test_what_cannot_be_canonical_is_misdirected(method: str, path: str, host: str, shop: App) -> None:
    """L3: 421, kept by nobody, and not one cookie."""
    body = '{"client_id": "shop-web", "phone": "+85251234567"}' if path.startswith("/api/") else ""
    kind = "application/json" if body else "application/x-www-form-urlencoded"

    page = Http(HTTP_HOST=host).generic(method, path, body, content_type=kind)

    assert page.status_code == 421
    assert page["Cache-Control"] == "no-store"
    assert not page.cookies
    assert "default" not in page.content.decode()
    if path.startswith("/api/"):
        assert (page.json()["code"], page.json()["status"]) == ("misdirected", 421)


@pytest.mark.parametrize("host", SAME)
def test_a_whole_login_at_another_spelling_is_one_of_the_canonical_host(host: str, shop: App) -> None:
    """L3: `iss` of the answer and of the token, the challenge's origin, redirects without a host."""
    app = at(shop, host)

    page = app.authorize()
    assert page.url.startswith("/login/")
    answer = answer_of(app.sign_in(page))
    assert answer["iss"] == ORIGIN
    tokens = app.exchange(answer["code"]).json()

    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["iss"] == ORIGIN
    assert Challenge.objects.get().origin == ORIGIN
    again = at(shop, SHOP)
    again.browser.client.cookies = app.browser.client.cookies
    assert again.browser.is_signed_in
    assert all(not cookie["domain"] for cookie in app.browser.client.cookies.values())


def token_of(client: Http) -> str:
    """The token in the forms of the page."""
    page = client.get("/login/").content.decode()
    return page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_a_form_at_another_spelling_is_taken(shop: App) -> None:
    """L3: the browser names the spelling in Origin, and it is ours."""
    client = Http(enforce_csrf_checks=True, HTTP_HOST="shop.example.com.")
    form = {"csrfmiddlewaretoken": token_of(client), "phone": factories.PHONE}

    def post(origin: str) -> int:
        return client.post("/login/", form, HTTP_ORIGIN=origin).status_code

    for foreign in (
        "http://evil.example",
        "http://evil.example.",
        "https://shop.example.com.",
        "null",
        "http://testserver",
    ):
        assert post(foreign) == 403
    assert post("http://shop.example.com.") == 302


@pytest.mark.parametrize("host", SAME)
def test_a_proof_is_made_for_the_canonical_address(host: str, shop: App) -> None:
    """L3: DPoP htu."""
    code = at(shop, SHOP).code()
    app = at(shop, host)

    own = app.exchange(code, HTTP_DPOP=proof(url=f"http://{host}/oauth2/token/"))
    assert (own.status_code, own.json()["error"]) == (400, "invalid_dpop_proof")
    assert app.exchange(code, HTTP_DPOP=proof(url=f"{ORIGIN}/oauth2/token/")).status_code == 200


def test_a_port_that_the_domain_names_is_part_of_the_issuer(shop: App) -> None:
    """L3."""
    domain = Domain.objects.get()
    domain.host = f"{SHOP}:8443"
    domain.save()

    for host in (f"{SHOP}:8443", f"{SHOP.upper()}.:8443", SHOP):
        assert Http(HTTP_HOST=host).get(CONFIGURATION).json()["issuer"] == f"{ORIGIN}:8443"
    assert Http(HTTP_HOST=f"{SHOP}:8444").get(CONFIGURATION).status_code == 421


@pytest.mark.parametrize(
    "host", ["evil.example", "shop.example.com..", "shop.example.com:", "shop_example", "shop.example.com@evil.example",
             "shop.example.com, evil.example", "shop.example.com/..", "[::1", "b\xfccher.example", " "],
)  # fmt: skip
def test_what_is_no_host_of_ours_is_refused_at_once(host: str, shop: App) -> None:
    for path in (CONFIGURATION, "/login/", "/api/v1/challenges", "/whatsapp/webhook"):
        assert Http(HTTP_HOST=host).get(path).status_code == 400


def test_no_other_header_names_the_host(shop: App) -> None:
    """L3, J14."""
    headers = {
        "HTTP_X_FORWARDED_HOST": "evil.example", "HTTP_FORWARDED": "host=evil.example", "HTTP_X_HOST": "evil.example",
        "HTTP_X_FORWARDED_PORT": "8443", "HTTP_X_ORIGINAL_HOST": "evil.example", "SERVER_NAME": "evil.example",
    }  # fmt: skip

    page: Page = Http(HTTP_HOST=SHOP, **headers).get(CONFIGURATION)  # type: ignore[arg-type] # META

    assert page.json()["issuer"] == ORIGIN


def test_production_has_no_issuer_without_tls(shop: App, settings: Any) -> None:
    """L3, D2: the proxy that forgets X-Forwarded-Proto makes no second issuer, and its forms are taken."""
    settings.INSECURE_HTTP = False
    client = Http(enforce_csrf_checks=True, HTTP_HOST=SHOP)
    token = token_of(client)
    form = {"csrfmiddlewaretoken": token, "phone": factories.PHONE}

    assert client.get(CONFIGURATION).json()["issuer"] == "https://shop.example.com"
    assert client.post("/login/", form, HTTP_ORIGIN="http://shop.example.com").status_code == 403
    assert client.post("/login/", form, HTTP_ORIGIN="https://shop.example.com").status_code == 302


def test_webhooks_and_health_answer_at_any_spelling(shop: App) -> None:
    """L3."""
    for host in (*SAME, *OTHERS[:-1]):
        client = Http(HTTP_HOST=host)
        assert client.get("/healthz").status_code == 200
        assert client.get("/whatsapp/webhook").status_code == 403
        assert client.post("/sms/twilio/status").status_code == 401
        assert client.get("/admin/login/").status_code == 200


# Closed projects ------------------------------------------------------------------------------------


def close(kind: str) -> None:
    project = Project.objects.get(slug="shop")
    if kind == "archived":
        project.archived_at = project.created_at
        project.save()
    elif kind == "without countries":
        project.login_methods.countries_allowed = []
        project.login_methods.save()
    else:
        project.login_methods.delete()


@pytest.mark.parametrize("kind", ["without login methods", "without countries", "archived"])
@pytest.mark.parametrize("host", [SHOP, "shop.example.com.", "SHOP.EXAMPLE.COM"])
def test_the_host_of_a_closed_project_is_served_by_no_other(host: str, kind: str, shop: App) -> None:
    """L2, D12."""
    close(kind)
    client = Http(HTTP_HOST=host)

    for path in (
        "/login/",
        "/login/code/",
        "/account/",
        "/",
        "/oauth2/authorize/?client_id=acme-web",
        "/oauth2/logout/",
    ):
        page = client.get(path)
        assert page.status_code == 503, path
        assert "Acme" not in page.content.decode()
        assert not page.cookies
    for path in (CONFIGURATION, "/.well-known/jwks.json", "/oauth2/userinfo/"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert answer["Cache-Control"] == "no-store"
    for body in (
        {"client_id": "acme-web", "phone": factories.PHONE},
        {"client_id": "shop-web", "phone": factories.PHONE},
    ):
        answer = client.post("/api/v1/challenges", json.dumps(body), content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert not Challenge.objects.exists()


def test_the_page_says_what_is_missing_in_the_readers_language(shop: App) -> None:
    """L2."""
    close("without login methods")
    page = Http(HTTP_HOST=SHOP).get("/login/")
    assert "not set up yet" in page.content.decode().lower()
    assert page["Cache-Control"] == "no-store"
    assert (
        'lang="es"' in Http(HTTP_HOST=SHOP).get("/login/", headers={"Accept-Language": "es"}).content.decode()
    )


def test_tokens_of_an_archived_project_open_nothing_and_work_again_afterwards(shop: App) -> None:
    """D12."""
    app = at(shop, SHOP)
    tokens = app.tokens()
    close("archived")

    assert app.userinfo(tokens["access_token"]).status_code == 503
    assert app.refresh(tokens["refresh_token"]).status_code == 503

    project = Project.objects.get(slug="shop")
    project.archived_at = None
    project.save()
    assert app.userinfo(tokens["access_token"]).status_code == 200
    assert app.browser.is_signed_in
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert Client.objects.filter(client_id="shop-web").exists()
    assert current_settings.SESSION_COOKIE_NAME in app.browser.client.cookies
