"""Codes are derived from a key and a challenge, and stored nowhere."""

import base64
import hmac
import uuid
from collections import Counter

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otp import codes

KEYS = {"new": b"n" * 32, "old": b"o" * 32}
CHALLENGE = uuid.UUID("01890000-0000-7000-8000-000000000001")


def derive(challenge_id: uuid.UUID = CHALLENGE, key_id: str = "new", length: int = 6) -> str:
    return codes.derive(challenge_id=challenge_id, key_id=key_id, length=length, keys=KEYS)


@pytest.mark.parametrize("length", [6, 7, 8, 9, 10])
def test_a_code_has_its_length_and_digits_only(length: int) -> None:
    """A1."""
    code = derive(length=length)

    assert len(code) == length
    assert code.isascii()
    assert code.isdigit()


def test_the_same_challenge_always_has_the_same_code() -> None:
    """A12: every message of a challenge carries it."""
    assert derive() == derive()


def test_another_challenge_or_another_key_gives_another_code() -> None:
    others = {derive(uuid.uuid4()) for _ in range(50)}

    assert len(others) > 45
    assert derive(key_id="old") != derive(key_id="new")


def test_codes_are_uniform_and_keep_leading_zeros() -> None:
    """A2: chi-square per position over 5,000 codes; 27.88 is the 0.999 quantile for nine degrees of freedom."""
    made = [derive(uuid.uuid5(CHALLENGE, str(number))) for number in range(5000)]

    assert {len(code) for code in made} == {6}
    for position in range(6):
        counts = Counter(code[position] for code in made)
        chi_square = sum((counts[digit] - 500) ** 2 / 500 for digit in "0123456789")
        assert chi_square < 27.88, f"position {position}: {counts}"


def test_the_code_is_that_of_rfc_4226_under_the_key_of_the_challenge() -> None:
    secret = base64.b32encode(hmac.digest(KEYS["new"], CHALLENGE.bytes, "sha256")).decode()

    assert pyotp.HOTP(secret).verify(derive(), 0)


# Appendix D.
VECTORS = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


@pytest.mark.parametrize(("counter", "code"), list(enumerate(VECTORS)))
def test_the_vectors_of_rfc_4226(counter: int, code: str) -> None:
    """Its appendix D."""
    assert codes.hotp(b"12345678901234567890", counter=counter, length=6) == code


@given(
    secret=st.binary(min_size=14, max_size=64),
    counter=st.integers(0, 2**64 - 1),
    length=st.sampled_from(codes.LENGTHS),
)
def test_an_independent_library_makes_the_same_codes(secret: bytes, counter: int, length: int) -> None:
    theirs = pyotp.HOTP(base64.b32encode(secret).decode(), digits=length).at(counter)

    assert codes.hotp(secret, counter=counter, length=length) == theirs


def test_a_key_that_is_gone_is_an_error_not_another_code() -> None:
    with pytest.raises(codes.UnknownKey):
        derive(key_id="gone")


def test_a_code_matches_under_the_key_that_made_it_only() -> None:
    made_with_old = derive(key_id="old")

    assert codes.matching_keys(code=made_with_old, challenge_id=CHALLENGE, keys=KEYS) == ["old"]
    assert codes.matching_keys(code=made_with_old, challenge_id=uuid.uuid4(), keys=KEYS) == []


def test_a_wrong_code_matches_no_key() -> None:
    wrong = str((int(derive()) + 1) % 10**6).zfill(6)

    assert codes.matching_keys(code=wrong, challenge_id=CHALLENGE, keys={"new": KEYS["new"]}) == []
