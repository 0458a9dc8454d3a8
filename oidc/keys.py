"""Signing keys: from AUTHSVC_OIDC_KEY or generated on first use, stored encrypted, rotated in the admin."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.db import IntegrityError, transaction
from django.utils import timezone
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from audit.kinds import Kind
from audit.record import record
from core.config_models import ConfigVersion
from core.config_version import Cached
from core.fields import UnreadableSecret, decrypt
from oidc import jws, pem_keys, policy
from oidc.models import Algorithm, SigningKey

log = structlog.get_logger(__name__)

type PrivateKey = jws.PrivateKey
type PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

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
        for key in self.keys:
            if key.algorithm == algorithm:
                return key
        return None

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
            private = pem_keys.read(decrypt(row.sealed_pem))
        except UnreadableSecret:
            log.error("oidc.key_unreadable", kid=row.kid)  # noqa: TRY400 # the traceback adds nothing
            if row.kid != configured_kid():
                continue
            private = pem_keys.read(pem_keys.configured())
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


_loaded: Cached[KeyRing] = Cached(_load)


def key_ring() -> KeyRing:
    """All keys. Generates the first one if there is none, and stores a new AUTHSVC_OIDC_KEY."""
    loaded = _loaded.get()
    configured = configured_kid()
    if configured and all(key.kid != configured for key in loaded.keys):
        _store(pem_keys.read(pem_keys.configured()))
        loaded = _loaded.get()
        return loaded if any(key.kid == configured for key in loaded.keys) else _load()  # as below
    if not loaded.keys:
        rotate(Algorithm.RS256, only_first=True)
        loaded = _loaded.get()
    # Another process may have made it just now, before this one has seen the new configuration version.
    return loaded if loaded.keys else _load()


def configured_kid() -> str:
    """The key ID of AUTHSVC_OIDC_KEY, "" if it is unset. Raises ImproperlyConfigured with a one-line reason."""
    pem = pem_keys.configured()
    return _kid_of(pem) if pem else ""


def _algorithm_of(private: PrivateKey) -> Algorithm:
    return Algorithm.RS256 if isinstance(private, rsa.RSAPrivateKey) else Algorithm.ES256


@lru_cache(maxsize=2)
def _kid_of(pem: str) -> str:
    """Cached: every signed token needs it, and it takes longer than signing."""
    return thumbprint(pem_keys.read(pem).public_key())


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
        return rsa.generate_private_key(public_exponent=65537, key_size=pem_keys.RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _has_key(algorithm: str) -> bool:
    return SigningKey.objects.filter(algorithm=algorithm).exists()


def _store(private: PrivateKey) -> SigningKey | None:
    algorithm = _algorithm_of(private)
    try:
        with transaction.atomic():
            key = SigningKey.objects.create(
                kid=thumbprint(private.public_key()),
                algorithm=algorithm,
                pem=pem_keys.write(private),
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
    return jws.compact(claims, private=key.private, kid=key.kid, typ=typ)


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
