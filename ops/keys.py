"""The keys of an installation: generated, derived from SECRET_KEY, rotated. Pure; needs no settings."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

OTP, ENCRYPTION, SECRET = "AUTHSVC_OTP_KEYS", "AUTHSVC_ENCRYPTION_KEYS", "SECRET_KEY"
FALLBACKS = "SECRET_KEY_FALLBACKS"
_PURPOSE = {OTP: "otp", ENCRYPTION: "encryption"}


def key_id(key: bytes) -> str:
    """The name of a one-time-code key: a digest of itself, so that the same key always has the same name."""
    return hashlib.sha256(key).hexdigest()[:8]


def derived(name: str, secret_keys: Sequence[str]) -> list[bytes]:
    """One 32-byte key of this purpose for each Django secret, in their order."""
    text = f"authsvc:{_PURPOSE[name]}".encode()
    return [hmac.digest(secret.encode(), text, "sha256") for secret in secret_keys]


def formatted(name: str, keys: Sequence[bytes]) -> str:
    """Keys as their variable spells them: `kid:base64,…` for one-time codes, Fernet keys for stored secrets."""
    if name == OTP:
        return ",".join(f"{key_id(key)}:{base64.b64encode(key).decode()}" for key in keys)
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in keys)


def generate() -> dict[str, str]:
    """A new value for each of the three variables."""
    return {
        SECRET: secrets.token_urlsafe(50),
        OTP: formatted(OTP, [secrets.token_bytes(32)]),
        ENCRYPTION: formatted(ENCRYPTION, [secrets.token_bytes(32)]),
    }


def pin(environment: Mapping[str, str], secret_keys: Sequence[str]) -> dict[str, str]:
    """The keys that are derived today, as variables. Without those that `environment` sets already."""
    return {
        name: formatted(name, derived(name, secret_keys))
        for name in (OTP, ENCRYPTION)
        if not environment.get(name)
    }


def rotate(name: str, environment: Mapping[str, str], secret_keys: Sequence[str]) -> dict[str, str]:
    """The variables to replace so that a new key of `name` is used and the older ones still work.

    `environment`: AUTHSVC_OTP_KEYS and AUTHSVC_ENCRYPTION_KEYS as they are set; `secret_keys`: SECRET_KEY and its
    fallbacks. Derived keys are
    pinned at the same time: otherwise they would change with SECRET_KEY, or be replaced by a new one.
    """
    new = generate()[name]
    if name == SECRET:
        return pin(environment, secret_keys) | {SECRET: new, FALLBACKS: ",".join(secret_keys)}
    present = environment.get(name) or pin({}, secret_keys)[name]
    return {name: f"{new},{present}"}
