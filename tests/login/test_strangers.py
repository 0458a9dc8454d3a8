"""What strangers may have written by asking for pages: nothing that stays."""

import pytest
from django.apps import apps
from django.conf import settings

from audit.models import AuditEvent
from core.redis import redis_client
from oidc.models import PushedRequest
from otp.models import Challenge
from projects.config import ProjectConfig
from tests import factories
from tests.login.conftest import Browser

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/login/", "/login/?next=/account/", "/login/?lang=es", "/login/code/", "/login/status/", "/logout/", "/account/",
    "/admin/", "/admin/login/", "/nobody/knows/it", "/oauth2/authorize/", "/oauth2/authorize/?client_id=acme-web",
    "/oauth2/logout/", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/oauth2/userinfo/", "/api/schema/",
    "/api/v1/challenges/x", "/demo/app/",
]  # fmt: skip
FORMS = [
    "/login/code/", "/login/send/", "/login/cancel/", "/logout/", "/account/sessions/", "/account/apps/", "/oauth2/consent/",
    "/oauth2/logout/", "/oauth2/logout/confirm/", "/oauth2/authorize/", "/oauth2/token/", "/oauth2/par/",
    "/oauth2/revoke_token/", "/oauth2/introspect/", "/oauth2/userinfo/", "/api/v1/challenges", "/api/v1/challenges/x/verify",
    "/api/v1/challenges/x/send", "/admin/login/",
]  # fmt: skip


def rows() -> dict[str, int]:
    """But for sign-ins of staff that were refused, which the audit log keeps: as many as the limits let through."""
    models = [model for model in apps.get_models() if model is not AuditEvent]
    return {model._meta.label: model._default_manager.count() for model in models}


def names() -> set[object]:
    """Keys but for counts of limits, which end by themselves."""
    store = redis_client()
    keys = store.keys("*") if store else []
    return {key for key in keys if not (b":limit:" in key and store and 0 < store.ttl(key) <= 3600)}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_looking_at_pages_leaves_nothing_behind(
    project: ProjectConfig, browser: Browser, method: str
) -> None:
    """No session, no row and no key, whatever is called without being signed in."""
    factories.make_client(project)
    browser.client.get("/.well-known/jwks.json")  # the first signing key is made when it is needed
    browser.client.raise_request_exception = False
    before, kept = rows(), names()

    for path in PAGES if method == "GET" else FORMS:
        answer = browser.client.generic(
            method, path, b"a=b", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code < 500, path
        assert (
            settings.SESSION_COOKIE_NAME not in answer.cookies
            or not answer.cookies[settings.SESSION_COOKIE_NAME].value
        )

    assert rows() == before
    assert names() == kept


def test_an_authorization_request_leaves_nothing_behind(project: ProjectConfig, browser: Browser) -> None:
    """Not before a number is typed."""
    from tests.oidc.app import App

    app = App(client=factories.make_client(project), browser=browser)
    browser.client.get("/.well-known/jwks.json")
    before, kept = rows(), names()

    page = app.authorize(prompt="login")
    browser.client.get(page.url)
    app.http.post("/oauth2/authorize/", app.parameters())

    assert rows() == before
    assert names() == kept
    assert not PushedRequest.objects.exists()
    assert not Challenge.objects.exists()
