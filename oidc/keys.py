"""Signing keys: from AUTHSVC_OIDC_KEY or generated on first use, stored encrypted, rotated in the admin."""

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
from jwt.utils import base64url_encode

from audit.kinds import Kind
from audit.record import record
from core.config_models import ConfigVersion
from core.config_version import Cached
from core.fields import UnreadableSecret, decrypt
from oidc import policy
from oidc.models import Algorithm, SigningKey

log = structlog.get_logger(__name__)

type PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
type PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_RSA_BITS = 2048
_MAX_TOKEN_CHARACTERS = 8192


@dataclass(frozen=True, kw_only=True)
class Key:
    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False)
    created_at: datetime
    retired_at: datetime | None  # when a newer key took over

    def jwk(self) -> dict[str, str]:
        """The public key as JWKS publishes it."""
        names = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        return names | _public_jwk(self.private.public_key())


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """All keys, newest first."""

    keys: tuple[Key, ...]

    def signing(self, algorithm: str) -> Key | None:
        return next((key for key in self.keys if key.algorithm == algorithm), None)

    def published(self, now: datetime) -> list[Key]:
        """Keys that sign, and retired ones whose tokens may still be valid."""
        return [
            key
            for key in self.keys
            if key.retired_at is None or now < key.retired_at + policy.KEY_PUBLISHED_AFTER
        ]


def _public_jwk(public: PublicKey) -> dict[str, str]:
    if isinstance(public, rsa.RSAPublicKey):
        members = RSAAlgorithm.to_jwk(public, as_dict=True)
        names: tuple[str, ...] = ("e", "kty", "n")
    else:
        members = ECAlgorithm.to_jwk(public, as_dict=True)
        names = ("crv", "kty", "x", "y")
    return {name: str(members[name]) for name in names}


def thumbprint(public: PublicKey) -> str:
    """RFC 7638."""
    members = json.dumps(_public_jwk(public), sort_keys=True, separators=(",", ":")).encode()
    return base64url_encode(hashlib.sha256(members).digest()).decode()


def _load() -> KeyRing:
    """Skips a key that no encryption key decrypts, unless AUTHSVC_OIDC_KEY holds it: a new one can be generated."""
    keys = []
    for row in SigningKey.objects.with_retirement().sealed():
        try:
            private = _private(decrypt(row.sealed_pem))
        except UnreadableSecret:
            log.error("oidc.key_unreadable", kid=row.kid)  # noqa: TRY400 # the traceback adds nothing
            if row.kid != configured_kid():
                continue
            private = _private(_configured_pem())
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


_loaded: Cached[KeyRing] = Cached(_load)


def key_ring() -> KeyRing:
    """All keys. Generates the first one if there is none, and stores a new AUTHSVC_OIDC_KEY."""
    loaded = _loaded.get()
    configured = configured_kid()
    if configured and all(key.kid != configured for key in loaded.keys):
        _store(_private(_configured_pem()))
        loaded = _loaded.get()
        return loaded if any(key.kid == configured for key in loaded.keys) else _load()  # as below
    if not loaded.keys:
        rotate(Algorithm.RS256, only_first=True)
        loaded = _loaded.get()
    # Another process may have made it just now, before this one has seen the new configuration version.
    return loaded if loaded.keys else _load()


@lru_cache(maxsize=2)
def _read_setting(value: str) -> str:
    """The PEM that AUTHSVC_OIDC_KEY contains or points to. Raises ImproperlyConfigured."""
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


def _configured_pem() -> str:
    return _read_setting(settings.AUTHSVC_OIDC_KEY) if settings.AUTHSVC_OIDC_KEY else ""


def configured_kid() -> str:
    """The key ID of AUTHSVC_OIDC_KEY, "" if it is unset. Raises ImproperlyConfigured with a one-line reason."""
    pem = _configured_pem()
    return _kid_of(pem) if pem else ""


@lru_cache(maxsize=2)
def _kid_of(pem: str) -> str:
    """Cached: every signed token needs it, and it takes longer than signing."""
    return thumbprint(_private(pem).public_key())


def _pem(private: PrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def rotate(algorithm: str, *, only_first: bool = False) -> SigningKey | None:
    """Create a key that signs from now on. With `only_first`, only if there is none yet; safe to call concurrently."""
    if only_first and _has_key(algorithm):
        return None
    private = generate(algorithm)
    with transaction.atomic():
        # The single version row serves as the lock of all writers.
        ConfigVersion.bump()
        if only_first and _has_key(algorithm):
            return None
        return _store(private)


def generate(algorithm: str) -> PrivateKey:
    """A new private key, not stored."""
    if algorithm == Algorithm.RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _has_key(algorithm: str) -> bool:
    return SigningKey.objects.filter(algorithm=algorithm).exists()


def _store(private: PrivateKey) -> SigningKey | None:
    algorithm = Algorithm.RS256 if isinstance(private, rsa.RSAPrivateKey) else Algorithm.ES256
    try:
        with transaction.atomic():
            key = SigningKey.objects.create(
                kid=thumbprint(private.public_key()),
                algorithm=algorithm,
                pem=_pem(private),
                created_at=timezone.now(),
            )
            record(Kind.KEY_CREATED, key, after={"algorithm": algorithm.value})
            return key
    except IntegrityError:  # another process stored the same configured key
        return None


def sign(claims: Mapping[str, Any], *, algorithm: str = Algorithm.RS256, typ: str = "JWT") -> str:
    """Sign a JWT with the newest key of `algorithm`, generated if there is none.

    Raises UnreadableSecret when keys exist but cannot be decrypted: another process may have the right encryption key.
    """
    key = key_ring().signing(algorithm)
    if key is None:
        rotate(algorithm, only_first=True)
        key = _loaded.get().signing(algorithm) or _load().signing(algorithm)
        if key is None:
            raise UnreadableSecret("no configured encryption key opens the signing keys")
    headers = {"kid": key.kid, "typ": typ}
    return jwt.encode(dict(claims), key.private, algorithm=key.algorithm, headers=headers)


def read_id_token(
    token: str, *, audience: str | None = None, allow_expired: bool = False
) -> dict[str, Any] | None:
    """The claims of an ID token that one of our keys signed; None for anything else, including our other JWTs (`typ`).

    Of its header only `kid` is used, to choose among our keys; `alg`, `jku`, `x5u` and `jwk` are ignored (RFC 8725).
    """
    if len(token) > _MAX_TOKEN_CHARACTERS:
        return None
    try:
        header = jwt.get_unverified_header(token)
        key = next((key for key in key_ring().keys if key.kid == header.get("kid")), None)
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
                "verify_exp": not allow_expired,
                "require": ["exp", "iss"],
            },
        )
    except jwt.PyJWTError:
        return None
    return claims
