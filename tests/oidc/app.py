"""An application and its user: the requests of an OpenID Connect client, over the product's real URLs."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import jwt
from django.test import Client as Http
from django.utils import timezone

from oidc import keys
from oidc.models import Client
from tests import factories
from tests.login.conftest import Browser, Page

ISSUER = "http://testserver"
CALLBACK = "https://acme.example/callback"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = "a-secret-that-is-long-enough-to-be-random"


@dataclass
class App:
    """One client and one browser. Parameters that are None are left out."""

    client: Client
    browser: Browser
    secret: str = ""
    http: Http = field(default_factory=lambda: Http(enforce_csrf_checks=True))

    def parameters(self, **changes: Any) -> dict[str, str]:
        wanted: dict[str, Any] = {
            "client_id": self.client.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid phone offline_access",
            "state": "st-1",
            "nonce": "no-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: str(value) for name, value in (wanted | changes).items() if value is not None}

    def url(self, **changes: Any) -> str:
        return f"/oauth2/authorize/?{urlencode(self.parameters(**changes))}"

    def authorize(self, **changes: Any) -> Page:
        return self.browser.client.get(self.url(**changes))

    def sign_in(self, page: Page, phone: str = factories.PHONE) -> Page:
        """From a redirect to the login page, over phone and code, back to the authorization endpoint."""
        assert page.status_code == 303, page.content
        assert page.url.startswith("/login/"), page.url
        asked = self.browser.ask(phone, url=page.url, next=parse_qs(urlsplit(page.url).query)["next"][0])
        assert asked.status_code == 302, asked.content
        entered = self.browser.enter(self.browser.code)
        assert entered.status_code == 302  # I9
        assert entered.url.startswith("/oauth2/authorize/?"), entered.url
        return self.browser.client.get(entered.url)

    def code(self, **changes: Any) -> str:
        """A code, after a login when there was none."""
        page = self.authorize(**changes)
        if page.status_code == 303:
            page = self.sign_in(page)
        return answer_of(page)["code"]

    def post(self, path: str, fields: dict[str, Any], **headers: Any) -> Page:
        wanted = {"client_id": self.client.client_id} | fields
        if self.secret and "HTTP_AUTHORIZATION" not in headers:
            wanted.setdefault("client_secret", self.secret)
        body = urlencode({name: value for name, value in wanted.items() if value is not None})
        return self.http.post(path, body, content_type="application/x-www-form-urlencoded", **headers)

    def exchange(self, code: str, /, **changes: Any) -> Page:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        headers = {name: changes.pop(name) for name in list(changes) if name.startswith("HTTP_")}
        return self.post("/oauth2/token/", fields | changes, **headers)

    def tokens(self, **changes: Any) -> dict[str, Any]:
        page = self.exchange(self.code(**changes))
        assert page.status_code == 200, page.content
        found: dict[str, Any] = page.json()
        return found

    def refresh(self, refresh_token: str, **changes: Any) -> Page:
        return self.post(
            "/oauth2/token/", {"grant_type": "refresh_token", "refresh_token": refresh_token} | changes
        )

    def userinfo(self, access_token: str) -> Page:
        return self.http.get("/oauth2/userinfo/", HTTP_AUTHORIZATION=f"Bearer {access_token}")

    def claims(self, id_token: str) -> dict[str, Any]:
        return read_id_token(id_token, self.client.client_id)


def answer_of(page: Page) -> dict[str, str]:
    """The parameters of a redirect back to the application."""
    assert page.status_code == 302, (page.status_code, page.content)
    parts = urlsplit(page.url)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == CALLBACK, page.url
    return {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}


def read_id_token(id_token: str, audience: str) -> dict[str, Any]:
    """As an independent library reads it, against what JWKS publishes."""
    kid = jwt.get_unverified_header(id_token)["kid"]
    published = {key.kid: key.jwk() for key in keys.key_ring().published(timezone.now())}
    found: dict[str, Any] = jwt.decode(
        id_token, jwt.PyJWK(published[kid]), algorithms=["RS256", "ES256"], audience=audience, issuer=ISSUER
    )
    return found


def refusal(page: Page, status: int = 400) -> str:
    """The error of a token answer, which is never stored."""
    assert page.status_code == status, page.content
    assert page["Cache-Control"] == "no-store"  # J8
    assert page["Content-Type"] == "application/json"
    found: str = page.json()["error"]
    return found


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
