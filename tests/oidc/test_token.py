"""The token endpoint: codes, clients that prove themselves, errors. docs/security.md, section J."""

from typing import Any

import pytest

from oidc import policy
from oidc.models import AuthorizationCode, TokenFamily
from tests import factories
from tests.clock import later
from tests.oidc.app import CALLBACK, VERIFIER, App, refusal

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "made-up"},
        {"code": "nul\0"},
        {"redirect_uri": "https://acme.example/other"},
        {"redirect_uri": f"{CALLBACK}/"},
        {"code_verifier": "w" * 64},
        {"code_verifier": "short"},
        {"code_verifier": None},
    ],
)
def test_a_code_is_bound_to_all_it_was_asked_for_with(app: App, changes: dict[str, Any]) -> None:
    """J1, I5"""
    code = app.code()

    error = refusal(app.exchange(code, **changes))

    assert error == ("invalid_request" if "\0" in (changes.get("code") or "") else "invalid_grant")
    assert app.exchange(code).status_code == 200  # a bad try costs the owner nothing


def test_a_code_is_bound_to_its_client(app: App, server_app: App) -> None:
    """J1"""
    code = app.code()

    assert refusal(server_app.exchange(code)) == "invalid_grant"
    assert app.exchange(code).status_code == 200


def test_a_code_lives_for_a_minute(app: App) -> None:
    """J1"""
    early, late = app.code(), app.code()

    with later(policy.CODE_VALID.total_seconds() - 2):
        assert app.exchange(early).status_code == 200
    with later(policy.CODE_VALID.total_seconds() + 1):
        assert refusal(app.exchange(late)) == "invalid_grant"


def test_a_second_use_of_a_code_kills_what_the_first_gave(app: App) -> None:
    """J2"""
    code = app.code()
    tokens = app.exchange(code).json()
    assert app.userinfo(tokens["access_token"]).status_code == 200

    assert refusal(app.exchange(code)) == "invalid_grant"

    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert refusal(app.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_a_verifier_for_a_code_without_a_challenge_is_a_downgrade(server_app: App) -> None:
    """I6"""
    server_app.client.pkce_required = False
    server_app.client.save()
    code = server_app.code(code_challenge=None, code_challenge_method=None)

    assert refusal(server_app.exchange(code, code_verifier=VERIFIER)) == "invalid_grant"


def test_nothing_usable_is_stored(app: App) -> None:
    """A9 in spirit: a leaked database opens nothing."""
    from django.db import connection

    code = app.code()
    tokens = app.exchange(code).json()

    with connection.cursor() as cursor:
        for table in ("oidc_authorizationcode", "oidc_accesstoken", "oidc_refreshtoken", "oidc_tokenfamily"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = "\n".join(
                " ".join(
                    bytes(v).decode("latin1") if isinstance(v, memoryview | bytes) else str(v) for v in row
                )
                for row in cursor.fetchall()
            )
            assert rows
            for secret in (code, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
                assert secret not in rows


# Requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
        "implicit",
        "x",
        "openid",
    ],
)
def test_other_grants_are_not_offered(server_app: App, grant_type: str) -> None:
    """I4, J22"""
    page = server_app.post("/oauth2/token/", {"grant_type": grant_type, "username": "a", "password": "b"})

    assert refusal(page) == "unsupported_grant_type"


@pytest.mark.parametrize("changes", [{"grant_type": None}, {"code": None}])
def test_missing_parameters_are_an_invalid_request(app: App, changes: dict[str, None]) -> None:
    assert refusal(app.exchange(app.code(), **changes)) == "invalid_request"


def test_a_missing_refresh_token_is_an_invalid_request(app: App) -> None:
    assert refusal(app.post("/oauth2/token/", {"grant_type": "refresh_token"})) == "invalid_request"


def test_repeated_parameters_are_an_invalid_request(app: App) -> None:
    """RFC 6749 3.2"""
    body = f"grant_type=authorization_code&client_id=acme-web&code={app.code()}&code=again"

    page = app.http.post("/oauth2/token/", body, content_type="application/x-www-form-urlencoded")

    assert refusal(page) == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"]
)
def test_only_forms_are_read(app: App, content_type: str) -> None:
    """P7"""
    assert refusal(app.http.post("/oauth2/token/", b"{}", content_type=content_type)) == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_get_is_refused(app: App, method: str) -> None:
    """J8, P7"""
    page = getattr(app.http, method)("/oauth2/token/?grant_type=authorization_code")

    assert refusal(page, 405) == "invalid_request"
    assert page["Allow"] == "POST"


def test_parameters_in_the_address_are_refused(app: App) -> None:
    """RFC 6749 3.2: they would end up in logs."""
    body = "grant_type=authorization_code&client_id=acme-web"

    page = app.http.post(
        f"/oauth2/token/?code={app.code()}", body, content_type="application/x-www-form-urlencoded"
    )

    assert refusal(page) == "invalid_request"


@pytest.mark.parametrize("name", ["client", "user", "family", "stored_code", "scopes", "renewal", "login"])
def test_parameters_cannot_pose_as_what_we_know(app: App, name: str) -> None:
    """oauthlib makes an attribute of every parameter."""
    assert app.exchange(app.code(), **{name: "evil"}).status_code == 200
    assert refusal(app.exchange("made-up", **{name: "evil"})) == "invalid_grant"
    assert refusal(app.refresh("made-up", **{name: "evil"})) == "invalid_grant"


def test_families_are_kept_apart(app: App) -> None:
    first, second = app.tokens(), app.tokens()

    app.post("/oauth2/revoke_token/", {"token": first["refresh_token"]})

    assert app.userinfo(first["access_token"]).status_code == 401
    assert app.userinfo(second["access_token"]).status_code == 200
    assert TokenFamily.objects.count() == AuthorizationCode.objects.count() == 2


def test_a_token_request_costs_few_queries(app: App, django_assert_num_queries: Any) -> None:
    """Two of them are the test's savepoint; without Redis the configuration's version is one more."""
    from core.redis import redis_client

    version = 0 if redis_client() else 1
    app.tokens()
    code = app.code()
    with django_assert_num_queries(7 + version):
        tokens = app.exchange(code).json()
    with django_assert_num_queries(7 + version):
        app.refresh(tokens["refresh_token"])
    with django_assert_num_queries(1 + version):
        app.userinfo(tokens["access_token"])


def test_a_login_is_over_for_everybody_when_the_person_says_so(app: App) -> None:
    """F6, F7"""
    from login import sign_out
    from users.models import User

    tokens = app.tokens()
    sign_out.end_everything(user_id=User.objects.get(phone=factories.PHONE).id)

    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert refusal(app.refresh(tokens["refresh_token"])) == "invalid_grant"
