"""Typed readers for the environment. Only `authsvc.settings` uses them; apps read `django.conf.settings`.

Every reader also accepts `NAME_FILE`, the path of a file that holds the value (container secrets).
Wrong values raise `ImproperlyConfigured` with one line that names the variable and never the value.
"""

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def load_dotenv(path: Path) -> None:
    """Put `NAME=value` lines of `path` into the environment, where not set already. Missing file: nothing."""
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


def text(name: str, default: str = "") -> str:
    """The variable, or the content of the file that `NAME_FILE` names, or `default` when neither is set."""
    value = os.environ.get(name, "")
    if value:
        return value
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return default
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot be read ({type(error).__name__})") from error


def choice[T: str](name: str, options: tuple[T, ...], default: T) -> T:
    value = text(name, default)
    for option in options:
        if value == option:
            return option
    raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}")


def boolean(name: str, *, default: bool) -> bool:
    """Exactly the words `true` and `false`: a typo must not silently mean either."""
    return choice(name, ("true", "false"), "true" if default else "false") == "true"


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31) -> int:
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number") from error
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"{name} must be from {minimum} to {maximum}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list without blanks."""
    raw = text(name)
    return [word.strip() for word in raw.split(",") if word.strip()] if raw else list(default)


def networks(name: str, default: tuple[str, ...] = ()) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in words(name, default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a comma-separated list of CIDRs") from error


def url(name: str, default: str = "", *, schemes: tuple[str, ...] = ("https", "http")) -> str:
    """An absolute URL without a trailing slash, or the empty string."""
    value = text(name, default).rstrip("/")
    if value:
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            raise ImproperlyConfigured(f"{name} must be a URL that starts with {' or '.join(schemes)}://")
    return value


def pairs[T](name: str, read: Callable[[str], T]) -> dict[str, T]:
    """`key:value,key:value`, in order, values through `read` (which raises ValueError)."""
    message = f"{name}: entries look like name:value, each name once"
    found: dict[str, T] = {}
    for word in words(name):
        key, separator, value = word.partition(":")
        if not separator or not key or key in found:
            raise ImproperlyConfigured(message)
        try:
            found[key] = read(value)
        except ValueError as error:
            raise ImproperlyConfigured(message) from error
    return found


def database(name: str, default: str) -> dict[str, object]:
    """Django's dictionary for `postgres://user:pw@host:port/db` or `sqlite:///relative` (four slashes: absolute)."""
    value = text(name, default)
    scheme, separator, rest = value.partition("://")
    if scheme == "sqlite" and separator:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest.removeprefix("/") or ":memory:"}
    if scheme in ("postgres", "postgresql") and separator:
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
    raise ImproperlyConfigured(f"{name} must start with postgres:// or sqlite:///")
