"""Where the authorization endpoint leads, and where it never does. I1, I2, I11."""

import pytest

from tests.login.conftest import text_of
from tests.oidc.app import CALLBACK, App

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "redirect_uri",
    [
        f"{CALLBACK}/",
        f"{CALLBACK}/more",
        f"{CALLBACK}?more=1",
        f"{CALLBACK}#fragment",
        f"{CALLBACK}#",
        "https://acme.example/CALLBACK",
        "https://ACME.example/callback",
        "https://acme.example/other/../callback",
        "https://acme.example:443/callback",
        "https://acme.example.evil.example/callback",
        "https://evil.example/callback",
        "https://evil@acme.example/callback",
        "http://acme.example/callback",
        "https://acme.example/callback%2e",
        "javascript:alert(1)",
        "//acme.example/callback",
        "",
        None,
    ],
)
def test_an_address_that_is_not_registered_is_never_led_to(app: App, redirect_uri: str | None) -> None:
    """I1, I2, I11: exact string; the error stays on our page. (One registered address may be left out.)"""
    page = app.authorize(redirect_uri=redirect_uri)

    if redirect_uri is None:
        assert page.status_code == 303  # RFC 6749 3.1.2.3: the one that is registered
        return
    assert page.status_code == 400
    assert "Location" not in page
    assert "This link does not work" in text_of(page)


def test_with_several_addresses_one_must_be_named(app: App) -> None:
    app.client.redirect_uris = f"{CALLBACK}\nhttps://acme.example/other"
    app.client.save()

    assert app.authorize(redirect_uri=None).status_code == 400
    assert app.authorize(redirect_uri="https://acme.example/other").status_code == 303


def test_the_port_of_a_loopback_address_is_free(app: App) -> None:
    """I1, RFC 8252 7.3."""
    app.client.redirect_uris = "http://127.0.0.1/cb\nhttp://localhost:3000/cb\nhttp://[::1]/cb"
    app.client.save()

    for good in ("http://127.0.0.1:51004/cb", "http://localhost/cb", "http://[::1]:9/cb"):
        assert app.authorize(redirect_uri=good).status_code == 303, good
    for bad in (
        "http://127.0.0.1:51004/cb/",
        "http://127.0.0.1:51004/cb?x=1",
        "https://127.0.0.1:51004/cb",
        "http://127.0.0.2:51004/cb",
        "http://127.0.0.1:51004@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
    ):
        assert app.authorize(redirect_uri=bad).status_code == 400, bad
