"""Typed readers for the environment, on environs. Only `authsvc.settings` uses them; apps read `django.conf.settings`.

Every reader also accepts `NAME_FILE`, the path of a file that holds the value (container secrets).
Wrong values raise `ImproperlyConfigured` with one line that names the variable and never the value.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import EnvError, FileAwareEnv, validate

from core.hosts import is_loopback, read_host, read_origin

_BLANK = re.compile(r"[\s\x00-\x20]")

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Env(FileAwareEnv):
    """The library's readers. The variable comes before its file, and an empty one counts as unset."""

    def _get_value(self, env_key: str, default: Any) -> Any:  # noqa: ANN401 # the library's signature
        try:
            return os.environ.get(env_key) or super()._get_value(env_key, default) or default
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"{env_key}_FILE: cannot be read") from error


_env = _Env(strip_whitespace=True)


def load_dotenv(path: Path) -> None:
    """Put `NAME=value` lines of `path` into the environment, where not set already. Missing file: nothing.

    Not python-dotenv: it skips lines that it cannot read, and changes values that hold `$`, `#` or a backslash.
    """
    if not path.is_file():
        return
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.removeprefix("export ").partition("=")
        if not separator or not name.strip().isidentifier():
            raise ImproperlyConfigured(f"{path.name} line {number}: expected NAME=value")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        os.environ.setdefault(name.strip(), value)


def _read[T](name: str, read: Callable[[], T], rule: str) -> T:
    """What `read` returns; otherwise the rule that the variable breaks."""
    try:
        return read()
    except (EnvError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} {rule}") from error


def text(name: str, default: str = "") -> str:
    return _env.str(name, default)


def choice[T: str](name: str, options: tuple[T, ...], default: T) -> T:
    rule = f"must be one of {', '.join(options)}"
    return _read(name, lambda: options[options.index(text(name, default))], rule)


def boolean(name: str, *, default: bool) -> bool:
    """Exactly the words `true` and `false`: a typo must not silently mean either."""
    return choice(name, ("true", "false"), "true" if default else "false") == "true"


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
    in_range = validate.Range(minimum, maximum)
    rule = f"must be a whole number from {minimum} to {maximum}"
    return _read(name, lambda: _env.int(name, default, validate=in_range), rule)


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list without blanks."""
    return [word.strip() for word in _env.list(name, list(default)) if word.strip()]


def networks(name: str, default: tuple[str, ...] = ()) -> tuple[Network, ...]:
    def read() -> tuple[Network, ...]:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words(name, default))

    return _read(name, read, "must be a comma-separated list of CIDRs")


def address(name: str, default: str) -> str:
    """An IP address to listen on; `localhost` is the one of IPv4."""
    value = text(name, default)
    value = "127.0.0.1" if value == "localhost" else value
    rule = "must be an IP address such as 127.0.0.1 or 0.0.0.0"
    return _read(name, lambda: str(ipaddress.ip_address(value)), rule)


def url(name: str, default: str = "") -> str:
    """An absolute URL of scheme, host and path, without a trailing slash, or the empty string."""
    value = text(name, default).strip().rstrip("/")

    def read() -> str:
        parts = urlsplit(value)
        has_more = "@" in parts.netloc or parts.query or parts.fragment or value.endswith(("?", "#"))
        if parts.scheme not in ("https", "http") or read_host(parts.netloc) is None or has_more:
            raise ValueError
        if _BLANK.search(value):
            raise ValueError
        return value

    rule = "must be a URL of https:// or http://, host and path, without user, query, fragment or blanks"
    return _read(name, read, rule) if value else ""


def origin(name: str, *, insecure_only_on_loopback: bool) -> str:
    """Scheme and host in their canonical spelling, or the empty string."""
    value = text(name).strip()
    if not value:
        return ""
    parsed = read_origin(value)
    if parsed is None:
        raise ImproperlyConfigured(f"{name} must be https:// and a host, with no path, query or user")
    if parsed.scheme != "https" and insecure_only_on_loopback and not is_loopback(parsed.host.name):
        raise ImproperlyConfigured(
            f"{name} must be https in production: http is for loopback names only (authsvc.E004)"
        )
    return str(parsed)


def host_names(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Names as Django compares them: lower case, in ASCII, no port. `.example.com` means all below it, `*` any."""
    rule = "must be host names without scheme, port or path, comma-separated"
    return _read(name, lambda: [_pattern(word) for word in words(name, default)], rule)


def _pattern(word: str) -> str:
    if word == "*":
        return word
    dot = "." if word.startswith(".") else ""
    host = read_host(word.removeprefix("."))
    if host is None or host.port is not None:
        raise ValueError
    return f"{dot}{host.name}"


def pairs[T](name: str, read: Callable[[str], T]) -> dict[str, T]:
    """`key:value,key:value`, in order, values through `read` (which raises ValueError)."""

    def read_pairs() -> dict[str, T]:
        values: dict[str, T] = {}
        for word in words(name):
            key, separator, value = word.partition(":")
            if not separator or not key or key in values:
                raise ValueError
            values[key] = read(value)
        return values

    return _read(name, read_pairs, "must be entries such as name:value, each name once")


def database(name: str, default: str) -> dict[str, Any]:
    """Django's dictionary for `postgres://user:pw@host:port/db` or `sqlite:///relative` (four slashes: absolute)."""
    value = text(name, default)
    scheme, separator, rest = value.partition("://")
    if scheme == "sqlite" and separator:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest.removeprefix("/") or ":memory:"}
    rule = "must start with postgres:// or sqlite:///"
    if scheme in ("postgres", "postgresql") and separator:
        # A password that is not percent-encoded can end the host: what is left of it is no port, and is not shown.
        return _read(
            name, lambda: _postgres(value), f"{rule}; / ? # and @ in a password are %2F %3F %23 and %40"
        )
    raise ImproperlyConfigured(f"{name} {rule}")


def _postgres(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
