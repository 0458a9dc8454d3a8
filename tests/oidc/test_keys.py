"""Keys: made once, published without their private parts, rotated while tokens live. J9, J11, J12."""

import json
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from pytest_django import Settings

from oidc import keys, policy, retention
from oidc.models import Algorithm, SigningKey
from tests.clock import later
from tests.oidc.app import App

pytestmark = pytest.mark.django_db


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def published(app: App) -> dict[str, dict[str, str]]:
    page = app.http.get("/.well-known/jwks.json")
    assert "max-age" in page["Cache-Control"]
    assert page["Access-Control-Allow-Origin"] == "*"
    return {key["kid"]: key for key in page.json()["keys"]}


def kid_of(token: str) -> str:
    found: str = jwt.get_unverified_header(token)["kid"]
    return found


def test_the_first_key_is_made_at_need_and_kept(app: App) -> None:
    first = app.tokens()["id_token"]
    second = app.tokens()["id_token"]

    assert kid_of(first) == kid_of(second)
    assert jwt.get_unverified_header(first)["alg"] == "RS256"
    assert SigningKey.objects.count() == 1


def test_only_public_parts_are_published(app: App) -> None:
    """J12"""
    app.tokens()
    keys.rotate(Algorithm.ES256)

    for key in published(app).values():
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key)
        assert key["use"] == "sig"
        if key["kty"] == "RSA":
            assert len(jwt.utils.base64url_decode(key["n"])) * 8 >= 2048


def test_private_keys_are_encrypted_at_rest(app: App) -> None:
    from django.db import connection

    app.tokens()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pem FROM oidc_signingkey")
        ((stored,),) = cursor.fetchall()

    assert "PRIVATE KEY" not in stored


def test_old_tokens_verify_after_a_rotation(app: App) -> None:
    """J12: two keys during it; the old one is gone once its tokens are."""
    old = app.tokens()["id_token"]
    keys.rotate(Algorithm.RS256)
    new = app.tokens()["id_token"]

    assert kid_of(old) != kid_of(new)
    assert set(published(app)) == {kid_of(old), kid_of(new)}
    app.claims(old)
    assert app.authorize(prompt="none", id_token_hint=old).status_code == 302
    with later(policy.KEY_PUBLISHED_AFTER.total_seconds() + 1):
        assert set(published(app)) == {kid_of(new)}
        assert "code=" in app.authorize(prompt="none", id_token_hint=old)["Location"]


def test_a_client_may_choose_es256(app: App) -> None:
    """J9"""
    app.client.algorithm = Algorithm.ES256
    app.client.save()

    token = app.tokens()["id_token"]

    assert jwt.get_unverified_header(token)["alg"] == "ES256"
    assert app.claims(token)["sub"]
    assert published(app)[kid_of(token)]["crv"] == "P-256"


def test_the_key_of_the_settings_signs(app: App, settings: Settings) -> None:
    given = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    app.tokens()
    settings.AUTHSVC_OIDC_KEY = pem_of(given)

    token = app.tokens()["id_token"]

    assert kid_of(token) == keys.thumbprint(given.public_key())
    assert len(published(app)) == 2
    keys.rotate(Algorithm.RS256)
    assert kid_of(app.tokens()["id_token"]) != keys.thumbprint(
        given.public_key()
    )  # rotated away, and it stays so


@pytest.mark.parametrize("as_path", [True, False])
def test_the_configured_key_may_be_a_path_or_one_line(
    app: App, settings: Settings, tmp_path: Path, as_path: bool
) -> None:
    given = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "key.pem"
    path.write_text(pem_of(given))
    settings.AUTHSVC_OIDC_KEY = str(path) if as_path else pem_of(given).replace("\n", "\\n")

    assert keys.thumbprint(given.public_key()) in published(app)


@pytest.mark.parametrize("value", ["/nowhere/key.pem", "-----BEGIN nonsense", "nul\0"])
def test_a_key_that_is_none_is_said_clearly(settings: Settings, value: str) -> None:
    settings.AUTHSVC_OIDC_KEY = value

    with pytest.raises(ImproperlyConfigured, match="AUTHSVC_OIDC_KEY"):
        keys.key_ring()


def test_a_weak_key_is_refused(settings: Settings) -> None:
    """J12"""
    settings.AUTHSVC_OIDC_KEY = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024))

    with pytest.raises(ImproperlyConfigured, match="2048"):
        keys.key_ring()


def test_kid_is_the_thumbprint_of_rfc_7638() -> None:
    """The RFC's own example."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"
        "oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
        "ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
        "kEgU8awapJzKnqDKgw"
    )
    number = int.from_bytes(jwt.utils.base64url_decode(n), "big")
    public = RSAPublicNumbers(65537, number).public_key()

    assert keys.thumbprint(public) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "x" * 9000, "eyJhbGciOiJub25lIn0.e30.", "ü.ü.ü"])
def test_what_is_no_token_of_ours_is_nothing(token: str) -> None:
    keys.rotate(Algorithm.RS256)

    assert keys.read_id_token(token) is None


def test_a_token_without_an_end_or_an_issuer_is_nothing() -> None:
    """J11"""
    keys.rotate(Algorithm.RS256)
    good = {"iss": "http://testserver", "exp": timezone.now().timestamp() + 60}

    assert keys.read_id_token(keys.sign(good))
    for name in good:
        assert (
            keys.read_id_token(keys.sign({key: value for key, value in good.items() if key != name})) is None
        )
    old = good | {"exp": timezone.now().timestamp() - 60}
    assert keys.read_id_token(keys.sign(old)) is None
    assert keys.read_id_token(keys.sign(old), allow_expired=True)


def test_old_keys_are_deleted_and_the_newest_never() -> None:
    for algorithm in (Algorithm.RS256, Algorithm.RS256, Algorithm.ES256):
        keys.rotate(algorithm)
    SigningKey.objects.update(created_at=timezone.now() - policy.KEY_KEPT - timedelta(days=1))

    assert retention.purge()["signing_keys"] == 1

    assert sorted(SigningKey.objects.values_list("algorithm", flat=True)) == ["ES256", "RS256"]


def test_keys_never_show_in_texts() -> None:
    keys.rotate(Algorithm.RS256)

    for thing in (keys.key_ring(), SigningKey.objects.get()):
        assert "PRIVATE" not in repr(thing)
        assert "private" not in repr(thing)
    assert "PRIVATE" not in json.dumps([key.jwk() for key in keys.key_ring().keys])
