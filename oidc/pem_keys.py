"""Private keys in PEM, and the one of AUTHSVC_OIDC_KEY. No database."""

from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from oidc.jws import PrivateKey

RSA_BITS = 2048


def configured() -> str:
    """The PEM of AUTHSVC_OIDC_KEY, "" if it is unset. Raises ImproperlyConfigured with a one-line reason."""
    return _read_setting(settings.AUTHSVC_OIDC_KEY) if settings.AUTHSVC_OIDC_KEY else ""


@lru_cache(maxsize=2)
def _read_setting(value: str) -> str:
    """The PEM that AUTHSVC_OIDC_KEY contains or points to. Raises ImproperlyConfigured."""
    try:
        pem = value if "-----BEGIN" in value else Path(value).read_text(encoding="ascii")
        private = read(pem.replace("\\n", "\n"))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ImproperlyConfigured(
            "AUTHSVC_OIDC_KEY: neither a private key in PEM nor the path of one"
        ) from error
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size < RSA_BITS:
        raise ImproperlyConfigured(f"AUTHSVC_OIDC_KEY: an RSA key needs {RSA_BITS} bits or more")
    if isinstance(private, ec.EllipticCurvePrivateKey) and not isinstance(private.curve, ec.SECP256R1):
        raise ImproperlyConfigured("AUTHSVC_OIDC_KEY: an EC key must be on the curve P-256")
    return write(private)


@lru_cache(maxsize=32)
def read(pem: str) -> PrivateKey:
    """Raises TypeError for another kind of key, ValueError for what is no key."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise TypeError("neither an RSA nor an EC key")
    return key


def write(private: PrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def is_rsa(pem: str) -> bool:
    """Whether it is an RSA key; else it is on the curve P-256."""
    return isinstance(read(pem), rsa.RSAPrivateKey)
