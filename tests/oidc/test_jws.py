"""Signed JWTs, with PyJWT as the judge of them."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from jwt.utils import base64url_decode

from oidc import jws

KEYS: dict[str, jws.PrivateKey] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
each_algorithm = pytest.mark.parametrize("algorithm", list(KEYS))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
# PyJWT has opinions about the registered claims; these are anybody's.
names = st.text().map(lambda name: f"x{name}")


def decoded(token: str, algorithm: str) -> dict[str, Any]:
    whole = jwt.decode_complete(token, KEYS[algorithm].public_key(), algorithms=[algorithm])
    return dict(whole)


@each_algorithm
@given(claims=st.dictionaries(names, values, max_size=5), kid=st.text(min_size=1), typ=st.text(min_size=1))
@examples(deadline=None, max_examples=60)
def test_an_independent_library_reads_what_was_signed(
    algorithm: str, claims: dict[str, Any], kid: str, typ: str
) -> None:
    """J9"""
    token = jws.compact(claims, private=KEYS[algorithm], kid=kid, typ=typ)

    found = decoded(token, algorithm)
    assert found["payload"] == claims
    assert found["header"] == {"alg": algorithm, "kid": kid, "typ": typ}


@each_algorithm
def test_all_but_a_random_signature_is_what_the_library_writes(algorithm: str) -> None:
    claims = {"iss": "https://login.example", "aud": "ünï", "iat": 1, "amr": ["otp"]}

    ours = jws.compact(claims, private=KEYS[algorithm], kid="k", typ="JWT")

    theirs = jwt.encode(claims, KEYS[algorithm], algorithm=algorithm, headers={"kid": "k", "typ": "JWT"})
    assert ours.split(".")[1] == theirs.split(".")[1]
    assert [json.loads(base64url_decode(token.split(".")[0])) for token in (ours, theirs)] == [
        {"alg": algorithm, "kid": "k", "typ": "JWT"}
    ] * 2
    assert "=" not in ours
    if algorithm == "RS256":  # PKCS #1 v1.5 is not random: the same header, the same signature
        header = ours.split(".")[0]
        again = jwt.api_jws.encode(
            base64url_decode(ours.split(".")[1]),
            KEYS[algorithm],
            algorithm=algorithm,
            headers=json.loads(base64url_decode(header)),
            sort_headers=True,
        )
        assert ours == again


@each_algorithm
@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_is_refused(algorithm: str, part: int) -> None:
    parts = jws.compact({"sub": "a"}, private=KEYS[algorithm], kid="k", typ="JWT").split(".")
    other = jws.compact({"sub": "b"}, private=KEYS[algorithm], kid="l", typ="JWT").split(".")
    parts[part] = other[part]

    with pytest.raises(jwt.InvalidSignatureError):
        decoded(".".join(parts), algorithm)


def test_a_short_number_of_a_signature_is_filled_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in 256 begins with a zero byte: each is 32 bytes all the same."""

    class Key:
        @staticmethod
        def sign(_signed: bytes, _algorithm: object) -> bytes:
            return encode_dss_signature(1, 2**255)

    token = jws.compact({}, private=Key(), kid="k", typ="JWT")  # type: ignore[arg-type] # as it signs

    assert base64url_decode(token.split(".")[2]) == bytes(31) + b"\x01" + b"\x80" + bytes(31)
