"""Which pages may read answers: those of the client that calls, never with cookies, never everybody's (J21)."""

from typing import Any

import pytest

from oidc.models import Client
from projects.config import projects
from tests import factories
from tests.api.conftest import CHALLENGES, SECRET, App, code_of

OURS = "https://acme.example"
OTHERS = "https://shop.example"


@pytest.fixture
def shop(app: App) -> App:
    """Another client of the same project, with a page elsewhere."""
    factories.make_client(
        projects.get().by_id[Client.objects.get().project_id],
        client_id="shop-web",
        redirect_uris=f"{OTHERS}/callback",
        algorithm="ES256",
    )
    return App("shop-web")


def allowed(response: Any) -> str | None:
    """The allowed origin; for any origin, Vary is set and cookies are not allowed."""
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Credentials" not in response.headers
    found: str | None = response.headers.get("Access-Control-Allow-Origin")
    assert found != "*"
    return found


def preflight(app: App, path: str, *, origin: str, method: str = "POST", host: str = "testserver") -> Any:
    return app.http.options(
        path,
        headers={
            "Host": host,
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type, idempotency-key",
        },
    )


@pytest.mark.parametrize(
    ("path", "method"), [("", "POST"), ("/x", "GET"), ("/x/send", "POST"), ("/x/verify", "POST")]
)
def test_a_preflight_of_a_registered_page_is_answered(app: App, path: str, method: str) -> None:
    response = preflight(app, CHALLENGES + path, origin=OURS, method=method)

    assert (response.status_code, response.content) == (204, b"")
    assert allowed(response) == OURS
    assert response["Access-Control-Allow-Methods"] == method
    assert {"content-type", "idempotency-key", "authorization"} <= {
        name.strip().lower() for name in response["Access-Control-Allow-Headers"].split(",")
    }
    assert response["Access-Control-Max-Age"] == "600"


@pytest.mark.parametrize(
    "origin",
    [
        OTHERS,
        "https://evil.example",
        "http://acme.example",
        "https://acme.example:8443",
        "https://acme.example.evil.example",
        "https://ACME.example",
        "null",
        "*",
    ],
)
def test_a_preflight_of_any_other_page_is_not(app: App, origin: str) -> None:
    response = preflight(app, CHALLENGES, origin=origin)

    assert allowed(response) is None
    assert "Access-Control-Allow-Methods" not in response.headers


def test_pages_of_another_project_get_no_cors_headers(app: App, stranger: App) -> None:
    """K8"""
    client = Client.objects.get(client_id="other-web")
    client.redirect_uris = f"{OTHERS}/callback"
    client.save()

    assert allowed(preflight(app, CHALLENGES, origin=OTHERS)) is None
    assert allowed(preflight(app, CHALLENGES, origin=OTHERS, host="other.example")) == OTHERS


def test_every_call_of_the_own_page_can_be_read(app: App) -> None:
    page = App(origin=OURS)

    started = page.start()
    name = started.json()["id"]
    answers = [
        started,
        page.read(name),
        page.send(name, channel="sms"),
        page.verify(name, "1"),
        page.verify(name, code_of(name)),
    ]

    assert [allowed(response) for response in answers] == [OURS] * 5
    assert {response["Access-Control-Expose-Headers"] for response in answers} == {
        "Retry-After, WWW-Authenticate"
    }


def test_a_page_of_another_client_reads_nothing(app: App, shop: App) -> None:
    """Any page may call; only pages of the named client may read the answer."""
    theirs = App("acme-web", origin=OTHERS)

    started = theirs.start()
    name = app.started(factories.OTHER_PHONE)
    answers = [started, theirs.read(name), theirs.send(name), theirs.verify(name, code_of(name))]

    assert [allowed(response) for response in answers] == [None] * 4


def test_errors_before_the_client_is_known_can_be_read_by_any_page_of_the_project(
    app: App, shop: App
) -> None:
    """A page should see why its call was refused."""
    for origin in (OURS, OTHERS):
        page = App(origin=origin)
        assert allowed(page.call("POST", CHALLENGES, b"{")) == origin
        assert allowed(page.start(client_id="nobody")) == origin
        assert allowed(page.read("nonsense")) == origin
    assert allowed(App(origin="https://evil.example").call("POST", CHALLENGES, b"{")) is None


def test_a_server_has_no_pages_unless_it_registers_them(server: App) -> None:
    page = App("acme-server", secret=SECRET, origin=OURS)

    assert allowed(page.start()) is None
    client = Client.objects.get(client_id="acme-server")
    client.allowed_origins = OURS
    client.save()
    assert allowed(page.start(factories.OTHER_PHONE)) == OURS


def test_registered_origins_of_a_public_client_count_as_well(app: App) -> None:
    client = Client.objects.get()
    client.allowed_origins = "https://m.acme.example"
    client.save()

    assert allowed(preflight(app, CHALLENGES, origin="https://m.acme.example")) == "https://m.acme.example"


def test_no_header_of_a_caller_names_the_client(app: App, shop: App) -> None:
    """What the view found out is kept where no request can write."""
    page = App(origin=OTHERS, **{"authsvc.client_id": "shop-web", "Authsvc-Client-Id": "shop-web"})

    assert allowed(page.start()) is None


def test_without_an_origin_there_is_nothing_to_say(app: App) -> None:
    assert allowed(app.start()) is None
