"""The token endpoint: codes, clients that prove themselves, errors. Section J of the checklist."""

import base64
import time
from typing import Any
from urllib.parse import quote_plus

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from oidc import policy
from oidc.models import AuthorizationCode, TokenFamily
from projects.ids import new_id
from tests import factories
from tests.clock import later
from tests.login.conftest import Page
from tests.oidc.app import CALLBACK, SECRET, VERIFIER, App

pytestmark = pytest.mark.django_db


def error_of(page: Page, status: int = 400) -> str:
    assert page.status_code == status, page.content
    assert page["Cache-Control"] == "no-store"  # J8
    assert page["Content-Type"] == "application/json"
    found: str = page.json()["error"]
    return found


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


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

    error = error_of(app.exchange(code, **changes))

    assert error == ("invalid_request" if "\0" in (changes.get("code") or "") else "invalid_grant")
    assert app.exchange(code).status_code == 200  # a bad try costs the owner nothing


def test_a_code_is_bound_to_its_client(app: App, server_app: App) -> None:
    """J1"""
    code = app.code()

    assert error_of(server_app.exchange(code)) == "invalid_grant"
    assert app.exchange(code).status_code == 200


def test_a_code_lives_for_a_minute(app: App) -> None:
    """J1"""
    early, late = app.code(), app.code()

    with later(policy.CODE_VALID.total_seconds() - 2):
        assert app.exchange(early).status_code == 200
    with later(policy.CODE_VALID.total_seconds() + 1):
        assert error_of(app.exchange(late)) == "invalid_grant"


def test_a_second_use_of_a_code_kills_what_the_first_gave(app: App) -> None:
    """J2"""
    code = app.code()
    tokens = app.exchange(code).json()
    assert app.userinfo(tokens["access_token"]).status_code == 200

    assert error_of(app.exchange(code)) == "invalid_grant"

    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(app.refresh(tokens["refresh_token"])) == "invalid_grant"


def test_a_verifier_for_a_code_without_a_challenge_is_a_downgrade(server_app: App) -> None:
    """I6"""
    server_app.client.pkce_required = False
    server_app.client.save()
    code = server_app.code(code_challenge=None, code_challenge_method=None)

    assert error_of(server_app.exchange(code, code_verifier=VERIFIER)) == "invalid_grant"


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


# Clients that prove themselves ----------------------------------------------------------------------


def test_a_confidential_client_proves_itself_by_header_or_form(server_app: App) -> None:
    """J4, OPcert server-client-secret-post."""
    by_form = server_app.exchange(server_app.code())
    header = basic("acme-server", SECRET)
    by_header = server_app.exchange(
        server_app.code(), client_id=None, client_secret=None, HTTP_AUTHORIZATION=header
    )
    with_both_ids = server_app.exchange(server_app.code(), client_secret=None, HTTP_AUTHORIZATION=header)

    assert [page.status_code for page in (by_form, by_header, with_both_ids)] == [200, 200, 200]


def test_special_characters_of_secrets_are_encoded_in_the_header(server_app: App) -> None:
    """RFC 6749 2.3.1"""
    from oidc.secrets import hash_secret

    odd = "a+b %:&=ü" * 5
    server_app.client.client_secret = hash_secret(odd)
    server_app.client.save()
    encoded = server_app.exchange(
        server_app.code(), client_secret=None, HTTP_AUTHORIZATION=basic("acme-server", odd)
    )

    assert encoded.status_code == 200


@pytest.mark.parametrize(
    ("changes", "challenged"),
    [
        ({"client_secret": None}, False),
        ({"client_secret": "wrong"}, False),
        ({"client_id": "nobody"}, False),
        ({"client_id": None}, False),
        ({"client_secret": None, "HTTP_AUTHORIZATION": basic("acme-server", "wrong")}, True),
        ({"client_secret": None, "HTTP_AUTHORIZATION": basic("acme-server", "")}, True),
        ({"client_secret": None, "HTTP_AUTHORIZATION": "Basic nonsense"}, True),
        ({"client_secret": None, "HTTP_AUTHORIZATION": "Basic /w=="}, True),
        (
            {
                "client_secret": None,
                "client_id": "acme-web",
                "HTTP_AUTHORIZATION": basic("acme-server", SECRET),
            },
            True,
        ),
        ({"client_secret": SECRET, "HTTP_AUTHORIZATION": basic("acme-server", SECRET)}, True),
    ],
)
def test_who_proves_nothing_is_an_invalid_client(
    server_app: App, changes: dict[str, Any], challenged: bool
) -> None:
    """J4: 401, and which scheme there is when one was tried. One way at a time (RFC 6749 2.3)."""
    page = server_app.exchange(server_app.code(), **changes)

    assert error_of(page, 401) == "invalid_client"
    assert page.has_header("WWW-Authenticate") == challenged
    if challenged:
        assert page["WWW-Authenticate"].startswith("Basic ")


def test_a_public_client_has_no_secret_to_bring(app: App) -> None:
    assert error_of(app.exchange(app.code(), client_secret="anything"), 401) == "invalid_client"
    assert (
        error_of(app.exchange(app.code(), HTTP_AUTHORIZATION=basic("acme-web", "")), 401) == "invalid_client"
    )


def test_a_short_secret_works_as_well(server_app: App) -> None:
    """J5: it is kept under a slow hash."""
    from oidc.secrets import hash_secret

    server_app.client.client_secret, server_app.secret = hash_secret("short"), "short"
    server_app.client.save()

    assert not server_app.client.client_secret.startswith("sha256$")
    assert server_app.exchange(server_app.code()).status_code == 200
    assert server_app.exchange(server_app.code(), client_secret="shorf").status_code == 401


# private_key_jwt ------------------------------------------------------------------------------------


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def assertion(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> dict[str, str | None]:
    now = int(time.time())
    claims = {
        "iss": "acme-server",
        "sub": "acme-server",
        "aud": "http://testserver/oauth2/token/",
        "exp": now + 60,
        "iat": now,
        "jti": str(new_id()),
    } | changes
    headers: Any = claims.pop("headers", None)
    claims = {name: value for name, value in claims.items() if value is not None}
    return {
        "client_secret": None,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode(claims, key, algorithm=algorithm, headers=headers),
    }


@pytest.fixture
def keyed_app(server_app: App) -> App:
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm

    server_app.client.jwks = {
        "keys": [
            RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "one"},
            ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True) | {"kid": "two"},
        ]
    }
    server_app.client.save()
    return server_app


def test_a_client_may_prove_itself_by_key(keyed_app: App) -> None:
    """J4"""
    for proof in (
        assertion(),
        assertion(algorithm="PS256"),
        assertion(EC_KEY, "ES256"),
        assertion(aud="http://testserver"),
        assertion(aud=["http://testserver/oauth2/token/", "https://other.example"]),
    ):
        assert keyed_app.exchange(keyed_app.code(), **proof).status_code == 200
    assert keyed_app.exchange(keyed_app.code(), **assertion(), client_id=None).status_code == 200


def test_an_assertion_is_good_once(keyed_app: App) -> None:
    """Core 9: what was overheard opens nothing."""
    proof = assertion()
    assert keyed_app.exchange(keyed_app.code(), **proof).status_code == 200

    assert error_of(keyed_app.exchange(keyed_app.code(), **proof), 401) == "invalid_client"


@pytest.mark.parametrize(
    "proof",
    [
        assertion(OTHER_KEY),
        assertion(OTHER_KEY, headers={"kid": "one"}),
        assertion(OTHER_KEY, headers={"jku": "https://evil.example/jwks.json"}),
        assertion("x" * 32, "HS256"),
        assertion(None, "none"),
        assertion(iss="acme-web"),
        assertion(sub="acme-web"),
        assertion(aud="https://evil.example"),
        assertion(aud=None),
        assertion(exp=None),
        assertion(jti=None),
        assertion(exp=int(time.time()) - 60),
        assertion(exp=int(time.time()) + 86400),
        assertion() | {"client_assertion_type": "urn:other"},
        assertion() | {"client_assertion": "not.a.jwt"},
        assertion() | {"client_assertion": "x" * 10000},
        assertion() | {"client_secret": SECRET},
        assertion() | {"client_id": "acme-web"},
    ],
    ids=lambda _proof: "",
)
def test_forged_assertions_prove_nothing(keyed_app: App, proof: dict[str, str | None]) -> None:
    """J11"""
    page = keyed_app.exchange(keyed_app.code(), **proof)

    assert error_of(page, 401) == "invalid_client"


def test_the_public_key_is_no_hmac_secret(keyed_app: App) -> None:
    """J11: alg confusion."""
    import hmac
    import json

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = assertion()["client_assertion"] or ""
    body = good.split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    mac = (
        base64.urlsafe_b64encode(hmac.digest(pem, f"{head}.{body}".encode(), "sha256")).rstrip(b"=").decode()
    )

    page = keyed_app.exchange(
        keyed_app.code(), **(assertion() | {"client_assertion": f"{head}.{body}.{mac}"})
    )

    assert error_of(page, 401) == "invalid_client"


def test_with_keys_the_secret_is_of_no_use(keyed_app: App) -> None:
    assert error_of(keyed_app.exchange(keyed_app.code()), 401) == "invalid_client"


def test_broken_keys_let_nobody_in(server_app: App) -> None:
    server_app.client.jwks = {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}
    server_app.client.save()

    assert error_of(server_app.exchange(server_app.code(), **assertion()), 401) == "invalid_client"


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

    assert error_of(page) == "unsupported_grant_type"


@pytest.mark.parametrize("changes", [{"grant_type": None}, {"code": None}])
def test_missing_parameters_are_an_invalid_request(app: App, changes: dict[str, None]) -> None:
    assert error_of(app.exchange(app.code(), **changes)) == "invalid_request"


def test_a_missing_refresh_token_is_an_invalid_request(app: App) -> None:
    assert error_of(app.post("/oauth2/token/", {"grant_type": "refresh_token"})) == "invalid_request"


def test_repeated_parameters_are_an_invalid_request(app: App) -> None:
    """RFC 6749 3.2"""
    body = f"grant_type=authorization_code&client_id=acme-web&code={app.code()}&code=again"

    page = app.http.post("/oauth2/token/", body, content_type="application/x-www-form-urlencoded")

    assert error_of(page) == "invalid_request"


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x"]
)
def test_only_forms_are_read(app: App, content_type: str) -> None:
    """P7"""
    assert error_of(app.http.post("/oauth2/token/", b"{}", content_type=content_type)) == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_get_is_refused(app: App, method: str) -> None:
    """J8, P7"""
    page = getattr(app.http, method)("/oauth2/token/?grant_type=authorization_code")

    assert error_of(page, 405) == "invalid_request"
    assert page["Allow"] == "POST"


def test_parameters_in_the_address_are_refused(app: App) -> None:
    """RFC 6749 3.2: they would end up in logs."""
    body = "grant_type=authorization_code&client_id=acme-web"

    page = app.http.post(
        f"/oauth2/token/?code={app.code()}", body, content_type="application/x-www-form-urlencoded"
    )

    assert error_of(page) == "invalid_request"


@pytest.mark.parametrize("name", ["client", "user", "family", "stored_code", "scopes", "renewal", "login"])
def test_parameters_cannot_pose_as_what_we_know(app: App, name: str) -> None:
    """oauthlib makes an attribute of every parameter."""
    assert app.exchange(app.code(), **{name: "evil"}).status_code == 200
    assert error_of(app.exchange("made-up", **{name: "evil"})) == "invalid_grant"
    assert error_of(app.refresh("made-up", **{name: "evil"})) == "invalid_grant"


def test_families_are_kept_apart(app: App) -> None:
    first, second = app.tokens(), app.tokens()

    app.post("/oauth2/revoke_token/", {"token": first["refresh_token"]})

    assert app.userinfo(first["access_token"]).status_code == 401
    assert app.userinfo(second["access_token"]).status_code == 200
    assert TokenFamily.objects.count() == AuthorizationCode.objects.count() == 2


def test_a_token_request_costs_few_queries(app: App, django_assert_num_queries: Any) -> None:
    """Two of them are the test's savepoint; without Redis the configuration's version is one more."""
    from projects.kv import redis_client

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
    from login import ending
    from users.models import User

    tokens = app.tokens()
    ending.end_everything(user_id=User.objects.get(phone=factories.PHONE).id)

    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert error_of(app.refresh(tokens["refresh_token"])) == "invalid_grant"
