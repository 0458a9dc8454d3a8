"""Keys as they are made, derived and rotated (field fault D7)."""

import base64

import pytest
from cryptography.fernet import Fernet, MultiFernet

from ops import keys

SECRETS = ["first-secret-of-forty-characters-and-more", "second-secret-of-forty-characters-and-mor"]


def _otp_keys(value: str) -> dict[str, bytes]:
    return {
        name: base64.b64decode(key) for name, _, key in (word.partition(":") for word in value.split(","))
    }


def test_new_keys_are_usable_and_new_each_time() -> None:
    one, other = keys.generate(), keys.generate()

    assert set(one) == {"SECRET_KEY", "AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS"}
    assert len(one["SECRET_KEY"]) >= 50
    assert [len(key) for key in _otp_keys(one["AUTHSVC_OTP_KEYS"]).values()] == [32]
    Fernet(one["AUTHSVC_ENCRYPTION_KEYS"])
    assert not set(one.values()) & set(other.values())


def test_what_is_derived_is_pinned_with_its_names_and_order() -> None:
    pinned = keys.pin({}, SECRETS)

    derived = keys.derived(keys.OTP, SECRETS)
    assert _otp_keys(pinned[keys.OTP]) == {keys.key_id(key): key for key in derived}
    assert list(_otp_keys(pinned[keys.OTP])) == [keys.key_id(key) for key in derived]
    assert len(pinned[keys.ENCRYPTION].split(",")) == 2


def test_what_is_set_is_not_pinned() -> None:
    assert keys.pin({keys.OTP: "k1:abc", keys.ENCRYPTION: "x"}, SECRETS) == {}
    assert set(keys.pin({keys.OTP: "k1:abc", keys.ENCRYPTION: ""}, SECRETS)) == {keys.ENCRYPTION}


def test_a_rotated_key_stands_in_front_of_those_that_are_set() -> None:
    lines = keys.rotate(keys.OTP, {keys.OTP: "k1:abc"}, SECRETS)

    new, old = lines[keys.OTP].split(",")
    assert old == "k1:abc"
    assert new.count(":") == 1


@pytest.mark.parametrize("name", [keys.OTP, keys.ENCRYPTION])
def test_a_rotated_key_stands_in_front_of_those_that_are_derived(name: str) -> None:
    lines = keys.rotate(name, {}, SECRETS)

    assert set(lines) == {name}
    assert lines[name].split(",")[1:] == keys.pin({}, SECRETS)[name].split(",")


def test_stored_secrets_are_read_after_a_rotation() -> None:
    before = Fernet(keys.pin({}, SECRETS)[keys.ENCRYPTION].split(",")[0]).encrypt(b"stored")

    after = keys.rotate(keys.ENCRYPTION, {}, SECRETS)[keys.ENCRYPTION].split(",")

    assert MultiFernet([Fernet(key) for key in after]).decrypt(before) == b"stored"


def test_rotating_the_secret_key_pins_what_hangs_on_it() -> None:
    lines = keys.rotate(keys.SECRET, {}, SECRETS)

    assert lines[keys.FALLBACKS] == ",".join(SECRETS)
    assert lines[keys.SECRET] not in SECRETS
    assert {name: lines[name] for name in (keys.OTP, keys.ENCRYPTION)} == keys.pin({}, SECRETS)
