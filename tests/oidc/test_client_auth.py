"""How clients prove who they are at the token endpoint. J4, J5, J11."""

import base64
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from core.ids import new_id
from tests.oidc.app import SECRET, App, basic, refusal

pytestmark = pytest.mark.django_db


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
    from oidc.client_secrets import hash_secret

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

    assert refusal(page, 401) == "invalid_client"
    assert page.has_header("WWW-Authenticate") == challenged
    if challenged:
        assert page["WWW-Authenticate"].startswith("Basic ")


def test_a_public_client_has_no_secret_to_bring(app: App) -> None:
    assert refusal(app.exchange(app.code(), client_secret="anything"), 401) == "invalid_client"
    assert (
        refusal(app.exchange(app.code(), HTTP_AUTHORIZATION=basic("acme-web", "")), 401) == "invalid_client"
    )


def test_a_short_secret_works_as_well(server_app: App) -> None:
    """J5: it is kept under a slow hash."""
    from oidc.client_secrets import hash_secret

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
        assertion(aud="http://testserver/oauth2/par/"),  # RFC 9126 2: at whichever endpoint
        assertion(aud=["http://testserver/oauth2/token/", "https://other.example"]),
    ):
        assert keyed_app.exchange(keyed_app.code(), **proof).status_code == 200
    assert keyed_app.exchange(keyed_app.code(), **assertion(), client_id=None).status_code == 200


def test_an_assertion_is_good_once(keyed_app: App) -> None:
    """Core 9: what was overheard opens nothing."""
    proof = assertion()
    assert keyed_app.exchange(keyed_app.code(), **proof).status_code == 200

    assert refusal(keyed_app.exchange(keyed_app.code(), **proof), 401) == "invalid_client"


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

    assert refusal(page, 401) == "invalid_client"


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

    assert refusal(page, 401) == "invalid_client"


def test_with_keys_the_secret_is_of_no_use(keyed_app: App) -> None:
    assert refusal(keyed_app.exchange(keyed_app.code()), 401) == "invalid_client"


def test_broken_keys_authenticate_no_client(server_app: App) -> None:
    server_app.client.jwks = {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}
    server_app.client.save()

    assert refusal(server_app.exchange(server_app.code(), **assertion()), 401) == "invalid_client"
