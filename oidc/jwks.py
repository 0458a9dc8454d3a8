"""Public keys that a client registers, as a JWK Set (RFC 7517)."""

import json

import jwt
from django.utils.translation import gettext as _

ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_RSA_BITS = 2048
_MAX_KEYS = 20
_MAX_CHARACTERS = 50_000


def problem(value: object) -> str:
    """What is wrong with a JWK Set, "" if nothing. The text never quotes the keys."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MAX_KEYS:
        return _('must look like {"keys": […]}, with from 1 to 20 keys')
    if not _is_json(value):
        return _("is not JSON")
    for number, key in enumerate(keys, 1):
        if text := _key_problem(key):
            return _("key %(number)s %(problem)s") % {"number": number, "problem": text}
    return ""


def _is_json(value: object) -> bool:
    """Whether the database stores it unchanged. YAML has dates and numeric keys; PostgreSQL rejects NUL."""
    try:
        written = json.dumps(value, allow_nan=False)
        return len(written) <= _MAX_CHARACTERS and "\\u0000" not in written and json.loads(written) == value
    except (TypeError, ValueError, RecursionError):
        return False


def _key_problem(key: object) -> str:
    if not isinstance(key, dict):
        return _("is not a key")
    if any(name in key for name in _PRIVATE):
        return _("is a private or shared key: register the public one only")
    kind = key.get("kty")
    if not isinstance(kind, str) or kind not in ALGORITHMS or (kind == "EC" and key.get("crv") != "P-256"):
        return _("must be an RSA key or an EC key on P-256")
    if key.get("alg", ALGORITHMS[kind][0]) not in ALGORITHMS[kind]:
        return _("names an algorithm other than RS256, PS256 or ES256")
    try:
        public = jwt.PyJWK.from_dict(key).key
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError, KeyError):
        return _("cannot be read")
    if kind == "RSA" and public.key_size < _RSA_BITS:
        return _("is shorter than 2048 bits")
    return ""
