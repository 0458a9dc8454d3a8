"""A provider declares itself: hardly a file outside its own names it, and everything else comes from its declaration."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from channels.provider_settings import ProviderSettings
from channels.providers import PROVIDERS
from webhooks.registry import WEBHOOKS

ROOT = Path(__file__).resolve().parents[2]
VENDORS = [name for name, item in PROVIDERS.items() if item.api]
_SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["source"]

# Names and texts of the code count, comments and docstrings do not: a reason may well name a vendor. Django's own
# `Meta`, `_meta` and `request.META` are no vendor. Migrations are history. A vendor's own are its module or package in
# channels/providers and in webhooks; its line in the registry is the one that everybody writes.
OWN = re.compile(r"(channels/providers|webhooks)/(?P<vendor>[a-z]+)(\.py|/.*)")
REGISTRY = "channels/providers/__init__.py"
# Each with its reason; six at most.
ELSEWHERE = {
    "authsvc/log_lines.py": "structlog's remove_processors_meta",
    "authsvc/settings/__init__.py": "TWILIO_API_URL, a public variable older than AUTHSVC_API_URLS",
    "authsvc/settings/logging.py": "the logger of Twilio's SDK",
    "ops/management/commands/demo.py": "TWILIO_API_URL of the demo's simulator",
}


def product_files() -> Iterator[Path]:
    for app in _SOURCE:
        if app != "simulator":
            yield from (path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


@cache
def words(path: Path) -> frozenset[str]:
    """Names, imports and texts of a file, without docstrings."""
    return frozenset(_words(path))


def _words(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in documentation:
                yield text
            case (
                ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.FunctionDef(name=name)
            ):
                yield name
            case ast.ClassDef(name=name) if name != "Meta":
                yield name
            case ast.alias(name=name):
                yield name
            case ast.ImportFrom(module=str(name)):
                yield name


def names_vendor(word: str, vendor: str) -> bool:
    if word in ("META", "_meta", "Meta"):
        return False
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word)
    return vendor in {part.lower() for part in parts}


def files_naming(vendor: str) -> set[str]:
    """Outside the vendor's own files and the registry."""
    found = set()
    for path in product_files():
        name = path.relative_to(ROOT).as_posix()
        match = OWN.fullmatch(name)
        if name == REGISTRY or (match and match["vendor"] == vendor):
            continue
        if any(names_vendor(word, vendor) for word in words(path)):
            found.add(name)
    return found


def test_only_a_few_files_name_a_vendor_beside_its_own() -> None:
    naming = {name for vendor in VENDORS for name in files_naming(vendor)}

    assert naming <= set(ELSEWHERE), sorted(naming - set(ELSEWHERE))
    assert naming == set(ELSEWHERE), "the list is longer than need be"
    assert len(ELSEWHERE) <= 6


def test_the_newest_provider_is_named_nowhere_else() -> None:
    assert files_naming("vonage") == set()


def test_a_provider_is_two_modules_and_one_line() -> None:
    registry = (ROOT / REGISTRY).read_text().splitlines()
    lines = [line for line in registry if "VONAGE" in line and not line.startswith("from ")]

    assert len(lines) == 1
    assert (ROOT / "channels/providers/vonage.py").exists()
    assert (ROOT / "webhooks/vonage.py").exists()


@pytest.mark.parametrize("name", list(PROVIDERS))
def test_a_declaration_is_whole(name: str) -> None:
    provider = PROVIDERS[name]

    assert provider.name == name
    assert len(name) <= 10  # its column
    assert issubclass(provider.settings, ProviderSettings)
    assert provider.channels
    assert provider.inputs or provider.is_for_development
    assert (find_spec(f"webhooks.{name}") is not None) is (provider.reports is not None)
    if provider.reports:
        assert provider.reports.path in WEBHOOKS


def test_a_secret_is_never_shown_in_its_class() -> None:
    for provider in PROVIDERS.values():
        secrets = dict.fromkeys(provider.secret_names, "never-shown")
        assert "never-shown" not in repr(provider.settings.of_stored({}, secrets))
