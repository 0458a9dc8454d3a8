"""Public keys that a client registers, as a JWK Set (RFC 7517)."""

import json

import jwt
from django.utils.translation import gettext as _

_ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_RSA_BITS = 2048
_MOST_KEYS = 20
_MOST_CHARACTERS = 50_000


def problem(value: object) -> str:
    """What is wrong with a set of keys, in words, or nothing. Never a word of the keys themselves."""
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= _MOST_KEYS:
        return _('must look like {"keys": […]}, with from 1 to 20 keys')
    if not _is_json(value):
        return _("is not JSON")
    found = [(number, wrong) for number, key in enumerate(keys, 1) if (wrong := _key_problem(key))]
    return _("key %(number)s %(problem)s") % {"number": found[0][0], "problem": found[0][1]} if found else ""


def _is_json(value: object) -> bool:
    """Whether the database keeps it as it is. YAML has dates and keys that are numbers, PostgreSQL takes no NUL."""
    try:
        written = json.dumps(value)
        return len(written) <= _MOST_CHARACTERS and "\\u0000" not in written and json.loads(written) == value
    except (TypeError, ValueError, RecursionError):
        return False


def _key_problem(key: object) -> str:
    if not isinstance(key, dict):
        return _("is not a key")
    if any(name in key for name in _PRIVATE):
        return _("is a private or shared key: register the public one only")
    kind = key.get("kty")
    if not isinstance(kind, str) or kind not in _ALGORITHMS or (kind == "EC" and key.get("crv") != "P-256"):
        return _("must be an RSA key or an EC key on P-256")
    if key.get("alg", _ALGORITHMS[kind][0]) not in _ALGORITHMS[kind]:
        return _("names an algorithm other than RS256, PS256 or ES256")
    try:
        known = jwt.PyJWK.from_dict(key).key
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError, KeyError):
        return _("cannot be read")
    if kind == "RSA" and known.key_size < _RSA_BITS:
        return _("is shorter than 2048 bits")
    return ""
