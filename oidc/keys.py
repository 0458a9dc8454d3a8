"""The keys that sign tokens: from AUTHSVC_OIDC_KEY or made at first need, kept encrypted, rotated in the admin."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from oidc import policy
from oidc.models import Algorithm, SigningKey
from projects.config import Versioned
from projects.secrets import UnreadableSecret, decrypt

log = structlog.get_logger(__name__)

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_RSA_BITS = 2048
_MOST_TOKEN_CHARACTERS = 8192


@dataclass(frozen=True, kw_only=True)
class Key:
    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False)
    created_at: datetime
    retired_at: datetime | None  # when a newer one began to sign

    def jwk(self) -> dict[str, str]:
        """The public part, as JWKS shows it."""
        return {
            "kid": self.kid,
            "use": "sig",
            "alg": self.algorithm,
            **_public_jwk(self.private.public_key()),
        }


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """All keys, the newest first."""

    keys: tuple[Key, ...]

    def signing(self, algorithm: str) -> Key | None:
        return next((key for key in self.keys if key.algorithm == algorithm), None)

    def published(self, now: datetime) -> list[Key]:
        """Those that sign, and those whose tokens may still be in use."""
        return [
            key
            for key in self.keys
            if key.retired_at is None or now < key.retired_at + policy.KEY_PUBLISHED_AFTER
        ]


def _public_jwk(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        found = RSAAlgorithm.to_jwk(public, as_dict=True)
        names: tuple[str, ...] = ("e", "kty", "n")
    else:
        found = ECAlgorithm.to_jwk(public, as_dict=True)
        names = ("crv", "kty", "x", "y")
    return {name: str(found[name]) for name in names}


def thumbprint(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    """RFC 7638."""
    members = json.dumps(_public_jwk(public), sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(members).digest()).rstrip(b"=").decode()


def _load() -> KeyRing:
    """A key that no encryption key opens is passed over, unless the settings hold it: a new one can be made then."""
    keys = []
    for row in SigningKey.objects.with_retirement().sealed():
        try:
            private = _private(decrypt(row.sealed_pem))
        except UnreadableSecret:
            log.error("oidc.key_unreadable", kid=row.kid)  # noqa: TRY400 # the traceback tells nothing more
            if row.kid != given_kid():
                continue
            private = _private(_given())
        keys.append(
            Key(
                kid=row.kid,
                algorithm=row.algorithm,
                private=private,
                created_at=row.created_at,
                retired_at=row.retired_at,
            )
        )
    return KeyRing(keys=tuple(keys))


@lru_cache(maxsize=32)
def _private(pem: str) -> PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("neither an RSA nor an EC key")
    return key


_ring: Versioned[KeyRing] = Versioned(_load)


def ring() -> KeyRing:
    """The keys. Makes the first one when there is none, and takes in a key that the settings name anew."""
    found = _ring.get()
    given = given_kid()
    if given and all(key.kid != given for key in found.keys):
        _store(_private(_given()))
        return _ring.get()
    if not found.keys:
        rotate(Algorithm.RS256, only_first=True)
        found = _ring.get()
    # Somebody else made it a moment ago, and the version that says so has not come to us yet.
    return found if found.keys else _load()


def clear() -> None:
    _ring.clear()


@lru_cache(maxsize=2)
def _read(value: str) -> str:
    """The PEM that AUTHSVC_OIDC_KEY holds or names. Raises ImproperlyConfigured."""
    try:
        pem = value if "-----BEGIN" in value else Path(value).read_text(encoding="ascii")
        private = _private(pem.replace("\\n", "\n"))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ImproperlyConfigured(
            "AUTHSVC_OIDC_KEY: neither a private key in PEM nor the path of one"
        ) from error
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < _RSA_BITS:
        raise ImproperlyConfigured(f"AUTHSVC_OIDC_KEY: an RSA key needs {_RSA_BITS} bits or more")
    if isinstance(private, ec.EllipticCurvePrivateKey) and not isinstance(private.curve, ec.SECP256R1):
        raise ImproperlyConfigured("AUTHSVC_OIDC_KEY: an EC key must be on the curve P-256")
    return _pem(private)


def _given() -> str:
    return _read(settings.AUTHSVC_OIDC_KEY) if settings.AUTHSVC_OIDC_KEY else ""


def given_kid() -> str:
    """Which key AUTHSVC_OIDC_KEY names, if any. Raises ImproperlyConfigured with one line that says what is wrong."""
    given = _given()
    return _kid_of(given) if given else ""


@lru_cache(maxsize=2)
def _kid_of(pem: str) -> str:
    """Asked for with every token that is signed, and dearer than a signature."""
    return thumbprint(_private(pem).public_key())


def _pem(private: PrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def rotate(algorithm: str, *, only_first: bool = False) -> SigningKey | None:
    """A new key that signs from now on. With `only_first`: unless there is one already (several may ask at once)."""
    if only_first and _is_there(algorithm):
        return None
    private = generate(algorithm)
    with transaction.atomic():
        # The one row of the version is every saver's lock.
        SigningKey.announce()
        if only_first and _is_there(algorithm):
            return None
        return _store(private)


def generate(algorithm: str) -> PrivateKey:
    """A new private key, written down nowhere."""
    if algorithm == Algorithm.RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _is_there(algorithm: str) -> bool:
    return SigningKey.objects.filter(algorithm=algorithm).exists()


def _store(private: PrivateKey) -> SigningKey | None:
    algorithm = Algorithm.RS256 if isinstance(private, rsa.RSAPrivateKey) else Algorithm.ES256
    try:
        with transaction.atomic():
            row = SigningKey(
                kid=thumbprint(private.public_key()),
                algorithm=algorithm,
                pem=_pem(private),
                created_at=timezone.now(),
            )
            row.save()
    except IntegrityError:  # another process took in the same key of the settings
        return None
    return row


def sign(claims: Mapping[str, Any], *, algorithm: str = Algorithm.RS256, typ: str = "JWT") -> str:
    """A signed JWT with the newest key of `algorithm`, which is made when there is none. Raises UnreadableSecret when
    those that there are cannot be decrypted: another process may have the right encryption key."""
    found = ring().signing(algorithm)
    if found is None:
        rotate(algorithm, only_first=True)
        found = _ring.get().signing(algorithm) or _load().signing(algorithm)
        if found is None:
            raise UnreadableSecret("no configured encryption key opens the signing keys")
    return jwt.encode(
        dict(claims), found.private, algorithm=found.algorithm, headers={"kid": found.kid, "typ": typ}
    )


def read(token: str, *, audience: str | None = None, may_be_old: bool = False) -> dict[str, Any] | None:
    """The claims of an ID token that one of our keys signed; None for every other thing, other JWTs of ours among
    them (`typ`). The header chooses among our keys by `kid` and nothing else: no `alg`, `jku`, `x5u` or `jwk` of it
    is believed (RFC 8725)."""
    if len(token) > _MOST_TOKEN_CHARACTERS:
        return None
    try:
        header = jwt.get_unverified_header(token)
        key = next((key for key in ring().keys if key.kid == header.get("kid")), None)
        if key is None or header.get("typ") != "JWT":
            return None
        claims: dict[str, Any] = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=[key.algorithm],
            audience=audience,
            leeway=timedelta(seconds=5),
            options={
                "verify_aud": audience is not None,
                "verify_exp": not may_be_old,
                "require": ["exp", "iss"],
            },
        )
    except jwt.PyJWTError:
        return None
    return claims
