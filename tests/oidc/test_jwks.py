"""Which public keys a client may register, and which private key the settings may name."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.exceptions import ImproperlyConfigured, ValidationError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pytest_django import Settings

from oidc import jwks, keys
from oidc.models import Client, SigningKey
from tests import factories

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC_RSA: dict[str, Any] = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
PUBLIC_EC: dict[str, Any] = ECAlgorithm.to_jwk(EC.public_key(), as_dict=True)
P384: dict[str, Any] = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
SHORT: dict[str, Any] = RSAAlgorithm.to_jwk(
    rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key(), as_dict=True
)


@pytest.mark.parametrize(
    "found",
    [
        {"keys": [PUBLIC_RSA]},
        {"keys": [PUBLIC_EC]},
        {
            "keys": [
                {**PUBLIC_RSA, "alg": "PS256", "use": "sig", "kid": "1", "key_ops": ["verify"]},
                PUBLIC_EC,
            ]
        },
    ],
    ids=["RSA", "EC", "both"],
)
def test_public_keys_are_taken(found: object) -> None:
    """J4: what private_key_jwt needs."""
    assert jwks.problem(found) == ""


BAD: list[tuple[str, object, str]] = [
    ("nothing", None, "must look like"),
    ("text", "keys", "must look like"),
    ("list", [PUBLIC_EC], "must look like"),
    ("no keys", {"keys": []}, "must look like"),
    ("too many", {"keys": [PUBLIC_EC] * 21}, "must look like"),
    ("no key", {"keys": [7]}, "key 1 is not a key"),
    ("empty", {"keys": [{}]}, "key 1 must be an RSA key"),
    ("private RSA", {"keys": [RSAAlgorithm.to_jwk(RSA, as_dict=True)]}, "key 1 is a private"),
    ("private EC", {"keys": [PUBLIC_RSA, ECAlgorithm.to_jwk(EC, as_dict=True)]}, "key 2 is a private"),
    ("shared", {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "key 1 is a private or shared"),
    ("shared in disguise", {"keys": [{**PUBLIC_RSA, "k": "c2VjcmV0"}]}, "key 1 is a private or shared"),
    ("P-384", {"keys": [P384]}, "key 1 must be an RSA key or an EC key on P-256"),
    ("Ed25519", {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}]}, "key 1 must be"),
    ("kind is a list", {"keys": [{"kty": ["RSA"]}]}, "key 1 must be"),
    ("short", {"keys": [SHORT]}, "key 1 is shorter than 2048 bits"),
    ("HS256", {"keys": [{**PUBLIC_RSA, "alg": "HS256"}]}, "key 1 names an algorithm"),
    ("ES256 on RSA", {"keys": [{**PUBLIC_RSA, "alg": "ES256"}]}, "key 1 names an algorithm"),
    ("not on the curve", {"keys": [{**PUBLIC_EC, "x": PUBLIC_EC["y"]}]}, "key 1 cannot be read"),
    ("no modulus", {"keys": [{"kty": "RSA", "e": "AQAB"}]}, "key 1 cannot be read"),
    ("a number for text", {"keys": [{**PUBLIC_EC, "x": 7}]}, "key 1 cannot be read"),
    ("a date", {"keys": [PUBLIC_EC], "since": date(2026, 1, 1)}, "is not JSON"),
    ("a NUL", {"keys": [{**PUBLIC_EC, "kid": "\0"}]}, "is not JSON"),
    ("not a number", {"keys": [PUBLIC_EC], "x": float("nan")}, "is not JSON"),
    ("infinite", {"keys": [PUBLIC_EC], "x": float("inf")}, "is not JSON"),
    ("long", {"keys": [PUBLIC_EC], "x": "x" * 50_000}, "is not JSON"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "words"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_other_keys_are_refused_without_a_word_of_them(found: object, words: str) -> None:
    problem = jwks.problem(found)

    assert problem.startswith(words)
    assert PUBLIC_RSA["n"][:20] not in problem
    assert "c2VjcmV0" not in problem


@pytest.mark.django_db
def test_a_client_is_checked_as_a_whole() -> None:
    """K6: every field's problem comes at once."""
    row = Client(
        project_id=factories.make_project().id,
        client_id="a b",
        client_type="public",
        redirect_uris="http://acme.example/ https://acme.example/#x",
        scopes=["openid", "root"],
        jwks={"keys": []},
        pkce_required=False,
    )

    with pytest.raises(ValidationError) as raised:
        row.clean()

    found = raised.value.message_dict
    assert set(found) == {"client_id", "redirect_uris", "scopes", "jwks", "pkce_required"}
    assert len(found["redirect_uris"]) == 2


# The key of the settings ----------------------------------------------------------------------------


def pem(private: Any, password: bytes = b"") -> str:
    encryption: Any = (
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    )
    return str(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["text", "one line", "path"])
def test_the_key_of_the_settings_signs(way: str, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(pem(RSA))
    ways = {"text": pem(RSA), "one line": pem(RSA).replace("\n", "\\n"), "path": str(file)}

    settings.AUTHSVC_OIDC_KEY = ways[way]

    assert keys.configured_kid() == keys.thumbprint(RSA.public_key())
    assert keys.sign({"iss": "x"})
    assert SigningKey.objects.get().kid == keys.thumbprint(RSA.public_key())


@pytest.mark.parametrize(
    ("value", "line"),
    [
        pytest.param("/nowhere/key.pem", "neither a private key in PEM nor the path", id="missing"),
        pytest.param("/tmp", "neither a private key", id="folder"),
        pytest.param("x" * 5000, "neither a private key", id="long"),
        pytest.param("a\0b", "neither a private key", id="NUL"),
        pytest.param("-----BEGIN PRIVATE KEY-----\nAAAA", "neither a private key", id="broken"),
        pytest.param(pem(RSA, b"password"), "neither a private key", id="encrypted"),
        pytest.param(pem(ed25519.Ed25519PrivateKey.generate()), "neither a private key", id="Ed25519"),
        pytest.param(json.dumps(PUBLIC_RSA), "neither a private key", id="JWK"),
        pytest.param(pem(ec.generate_private_key(ec.SECP384R1())), "must be on the curve P-256", id="P-384"),
        pytest.param(
            pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "2048 bits", id="short"
        ),
    ],
)
def test_another_key_is_one_clear_line_without_the_key(value: str, line: str, settings: Settings) -> None:
    """J9, J12"""
    settings.AUTHSVC_OIDC_KEY = value

    with pytest.raises(ImproperlyConfigured) as raised:
        keys.configured_kid()

    assert line in str(raised.value)
    assert str(raised.value).startswith("AUTHSVC_OIDC_KEY: ")
    assert value not in str(raised.value)
