"""What is written down of tokens, and what never is. P1, P2."""

from typing import Any

import pytest
import structlog.testing
from prometheus_client import REGISTRY

from oidc import policy, services, tokens
from tests import factories
from tests.clock import later
from tests.oidc.app import App

pytestmark = pytest.mark.django_db


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"authsvc_{name}_total", labels) or 0.0


def test_the_life_of_tokens_is_logged_without_them(server_app: App) -> None:
    """P1, P2"""
    app = server_app
    with structlog.testing.capture_logs() as lines:
        code = app.code()
        first = app.exchange(code).json()
        second = app.refresh(first["refresh_token"]).json()
        app.exchange(code)
        app.refresh("made-up")
        app.browser.client.post("/logout/")

    events = [line["event"] for line in lines]
    for wanted in ("oidc.code_given", "oidc.tokens_given", "oidc.reused", "oidc.refused", "session.ended"):
        assert wanted in events
    given = next(line for line in lines if line["event"] == "oidc.tokens_given")
    assert {"client_id", "family_id", "user_id"} <= set(given)
    text = repr(lines)
    secrets = [code, app.secret, factories.PHONE, "51234567"]
    secrets += [
        found[name] for found in (first, second) for name in ("access_token", "refresh_token", "id_token")
    ]
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("grant", "label", "outcome"),
    [
        ("authorization_code", "authorization_code", "invalid_grant"),
        ("refresh_token", "refresh_token", "invalid_grant"),
        ("x" * 500, "other", "unsupported_grant_type"),
    ],
)
def test_requests_are_counted_with_few_labels(app: App, grant: str, label: str, outcome: str) -> None:
    """P5: nobody makes new labels from outside."""
    before = counted("token_requests", grant=label, outcome=outcome)
    fields: dict[str, Any] = {"grant_type": grant, "code": "x", "refresh_token": "x", "redirect_uri": "x"}

    app.post("/oauth2/token/", fields)

    assert counted("token_requests", grant=label, outcome=outcome) == before + 1


def test_reuse_is_counted(app: App) -> None:
    before = counted("tokens_reused", kind="refresh token")
    refresh_token = app.tokens()["refresh_token"]
    app.refresh(refresh_token)

    with later(policy.REFRESH_GRACE.total_seconds() + 1):
        app.refresh(refresh_token)

    assert counted("tokens_reused", kind="refresh token") == before + 1


def test_a_code_whose_person_has_just_signed_out_is_not_counted_as_reused(app: App) -> None:
    """They did so while the request was on its way: after the code was looked at, before its tokens were stored."""
    before = counted("tokens_reused", kind="code")
    code = tokens.find_code(app.code())
    assert code
    assert tokens.can_exchange(code, client=app.client)
    services.end_tokens_of_user(code.family.user_id)

    assert not tokens.exchange_code(code, access_token="a", refresh_token="r", proof_key="")

    assert counted("tokens_reused", kind="code") == before
