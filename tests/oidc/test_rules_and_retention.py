"""The pure parts: addresses, steps, secrets; and what is deleted when."""

import itertools
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from core.ids import oldest_id_at
from login.oidc.interaction import AuthorizationRequest, Situation, Step, next_step
from oidc import client_secrets, policy, redirect_uris, retention
from oidc.models import AccessToken, AuthorizationCode, Client, LogoutNotice, RefreshToken, TokenFamily
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.oidc.app import App


@pytest.mark.parametrize(
    "uri",
    [
        "https://acme.example/callback",
        "https://acme.example:8443/cb?x=1",
        "http://localhost:3000/",
        "http://127.0.0.1/cb",
        "http://[::1]:5000/cb",
        "com.example.app:/callback",
    ],
)
def test_good_addresses(uri: str) -> None:
    assert redirect_uris.redirect_problem(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "http://acme.example/callback",
        "http://127.0.0.1.evil.example/",
        "https://",
        "https:///callback",
        "https://acme.example/cb#x",
        "https://acme.example/cb#",
        "https://user@acme.example/",
        "https://*.acme.example/",
        "https://acme.example/a/../b",
        "https://acme.example/./b",
        "https://acme.example\\@evil.example/",
        "https://acme.example/a b",
        "https://acme.example:port/",
        "https://ácme.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/callback",
        "//acme.example/",
        "callback",
        "",
        "https://acme.example/" + "x" * 1000,
    ],
)
def test_bad_addresses(uri: str) -> None:
    """I2"""
    assert redirect_uris.redirect_problem(uri)


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        ("https://acme.example", True),
        ("https://acme.example:8443", True),
        ("http://localhost:3000", True),
        ("http://acme.example", False),
        ("https://acme.example/", False),
        ("https://ACME.example", False),
        ("https://acme.example/path", False),
        ("*", False),
        ("null", False),
        ("com.example.app://x", False),
    ],
)
def test_origins(origin: str, good: bool) -> None:
    assert (redirect_uris.origin_problem(origin) == "") is good


def test_addresses_that_we_call_are_https(settings: Settings) -> None:
    assert redirect_uris.callback_problem("http://127.0.0.1:9/x") == ""
    settings.INSECURE_HTTP = False

    assert redirect_uris.callback_problem("http://127.0.0.1:9/x")
    assert redirect_uris.callback_problem("com.example.app:/x")
    assert redirect_uris.callback_problem("https://acme.example/logout") == ""


def a_client(**fields: object) -> Client:
    return Client(
        **({"client_id": "c", "client_type": "public", "redirect_uris": "https://a.example/cb"} | fields)
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"redirect_uris": ""}, {"redirect_uris"}),
        ({"redirect_uris": "https://a.example/cb\nhttp://a.example/cb"}, {"redirect_uris"}),
        ({"post_logout_redirect_uris": "x"}, {"post_logout_redirect_uris"}),
        ({"allowed_origins": "https://a.example/"}, {"allowed_origins"}),
        ({"backchannel_logout_uri": "ftp://a.example/"}, {"backchannel_logout_uri"}),
        ({"jwks": {"keys": []}, "client_type": "public"}, set()),
        ({"jwks": {"keys": [1]}, "client_type": "public"}, {"jwks"}),
        ({"pkce_required": False}, {"pkce_required"}),
        ({"may_introspect": True}, {"may_introspect"}),
    ],
)
def test_clients_are_checked_as_a_whole(fields: dict[str, object], named: set[str]) -> None:
    """K6: every problem at once, with its field."""
    if fields.get("jwks") == {"keys": []}:
        fields = {"jwks": {}}
    if not named:
        a_client(**fields).clean()
        return
    with pytest.raises(ValidationError) as refused:
        a_client(**fields).clean()
    assert set(refused.value.message_dict) == named


def test_the_database_itself_refuses_a_public_client_with_a_secret(project: ProjectConfig) -> None:
    from django.db import IntegrityError, transaction

    for fields in ({"client_secret": "x"}, {"pkce_required": False}, {"may_introspect": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.make_client(project, **fields)


# Steps ----------------------------------------------------------------------------------------------


def step(prompt: str = "", **changes: object) -> Step:
    request: dict[str, object] = {"prompt": frozenset(prompt.split()), "max_age": None, "asked_at": None}
    found: dict[str, object] = {
        "auth_time": 100.0,
        "is_expected_person": True,
        "consented_at": None,
        "is_first_party": True,
        "now": 200.0,
    }
    for name, value in changes.items():
        (request if name in request else found)[name] = value
    return next_step(AuthorizationRequest(**request), Situation(**found))  # type: ignore[arg-type] # of the right types


def test_silence_never_leads_to_a_page() -> None:
    """I12, over every situation."""
    for auth_time, expected, consented, first, max_age, asked in itertools.product(
        (None, 100.0), (True, False), (None, 50.0), (True, False), (None, 0, 1000), (None, 50.0, 150.0)
    ):
        found = step(
            "none",
            auth_time=auth_time,
            is_expected_person=expected,
            consented_at=consented,
            is_first_party=first,
            max_age=max_age,
            asked_at=asked,
        )
        assert found in (Step.GRANT, Step.LOGIN_REQUIRED, Step.CONSENT_REQUIRED)


def test_nothing_is_granted_without_a_login() -> None:
    for prompt in ("", "login", "consent", "select_account", "login consent"):
        assert step(prompt, auth_time=None) is Step.LOGIN


def test_each_prompt_is_satisfied_by_what_came_after_it() -> None:
    assert step("login") is Step.LOGIN
    assert step("login", asked_at=101.0) is Step.LOGIN
    assert step("login", asked_at=99.0) is Step.GRANT
    assert step("select_account") is Step.CHOOSE
    assert step("select_account", asked_at=150.0) is Step.GRANT
    assert step("consent", is_first_party=False, consented_at=150.0) is Step.CONSENT
    assert step("consent", is_first_party=False, consented_at=150.0, asked_at=160.0) is Step.CONSENT
    assert step("consent", is_first_party=False, consented_at=160.0, asked_at=150.0) is Step.GRANT
    assert step("login consent", is_first_party=False, asked_at=99.0, consented_at=98.0) is Step.CONSENT


def test_age() -> None:
    assert step(max_age=100) is Step.GRANT
    assert step(max_age=99) is Step.LOGIN
    assert step(max_age=0, asked_at=99.0) is Step.GRANT


# Secrets --------------------------------------------------------------------------------------------


def test_secrets_are_long_and_each_its_own() -> None:
    made = {client_secrets.new_secret() for _ in range(50)}

    assert len(made) == 50
    assert all(len(secret) >= client_secrets.LONG for secret in made)


@pytest.mark.parametrize("secret", ["short", "x" * 31, "x" * 32, "ü" * 40, "$sha256$" * 6])
def test_a_stored_secret_knows_its_own_and_no_other(secret: str) -> None:
    """J5"""
    stored = client_secrets.hash_secret(secret)

    assert secret not in stored
    assert client_secrets.matches(secret, stored)
    assert client_secrets.hash_secret(secret) != stored
    for wrong in (secret + "x", secret[:-1], "", stored):
        assert not client_secrets.matches(wrong, stored)
    assert not client_secrets.matches("", "")
    assert not client_secrets.matches("x", "")


# What goes when -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_over_is_deleted_in_time(app: App) -> None:
    """P4"""
    living, revoked = app.tokens(), app.tokens()
    app.code()
    app.post("/oauth2/revoke_token/", {"token": revoked["refresh_token"]})
    assert set(retention.purge().values()) == {0}

    with later(policy.KEPT_AFTER_END.total_seconds() + 3700):
        gone = retention.purge(batch=1)
        assert gone["families_revoked"] == gone["families_never_used"] == 1
        assert gone["families_over"] == 0
        assert app.refresh(living["refresh_token"]).status_code == 200
    assert TokenFamily.objects.count() == 1

    with later((policy.FAMILY_VALID + policy.KEPT_AFTER_END).total_seconds() + 1):
        retention.purge()
    for model in (TokenFamily, AuthorizationCode, AccessToken, RefreshToken):
        assert not model.objects.exists()


@pytest.mark.django_db
def test_old_notices_are_deleted(app: App) -> None:
    now = timezone.now()
    for age in (1, 40):
        LogoutNotice.objects.create(
            id=oldest_id_at(now - timedelta(days=age)),
            client=app.client,
            issuer="x",
            sub=oldest_id_at(now),
            sid=oldest_id_at(now - timedelta(days=age)),
            created_at=now,
        )

    assert retention.purge()["logout_notices"] == 1
    assert LogoutNotice.objects.count() == 1
