"""Reading untyped YAML with paths: every problem is collected, none stops the reading."""

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import yaml

LARGEST_FILE = 1024 * 1024
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Loader(yaml.SafeLoader):
    """Safe, and strict about keys that stand twice."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[object] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands twice", key_node.start_mark
            )
        seen.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass(kw_only=True)
class Problems:
    """What is wrong with a file: one line each, with its path."""

    lines: list[str] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        self.lines.append(f"{path}: {message}" if path else message)


def load(text: str, problems: Problems) -> object:
    """The YAML document with `${NAME}` read from the environment."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 # derived from the safe loader
        return _substitute(document, "", problems)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "file"
        problems.add(where, f"not YAML: {getattr(error, 'problem', None) or 'cannot be read'}")
    except (RecursionError, ValueError):
        problems.add("file", "not YAML: cannot be read")
    return None


def _substitute(value: object, path: str, problems: Problems) -> object:
    if isinstance(value, dict):
        return {key: _substitute(item, f"{path}.{key}".lstrip("."), problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, f"{path}[{number}]", problems) for number, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def read(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in os.environ:
            problems.add(path, f"the environment variable {name} is not set")
        return os.environ.get(name, "")

    return _VARIABLE.sub(read, value)


class Node:
    """A mapping of the file. Reads its keys by type; what is read wrongly is noted and comes back as the default."""

    def __init__(self, value: object, path: str, keys: Collection[str], problems: Problems) -> None:
        self.path = path
        self._problems = problems
        self._value: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            problems.add(path, "must be a mapping of keys")
        for key in self._value:
            if key not in keys:
                problems.add(self.at(str(key)), "unknown key")

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def __contains__(self, key: str) -> bool:
        return self._value.get(key) is not None

    def problem(self, key: str, message: str) -> None:
        self._problems.add(self.at(key), message)

    def raw(self, key: str) -> object:
        return self._value.get(key)

    def child(self, key: str, keys: Collection[str]) -> "Node":
        return Node(self._value.get(key), self.at(key), keys, self._problems)

    def children(self, key: str, keys: Collection[str]) -> list["Node"]:
        return [
            Node(item, f"{self.at(key)}[{number}]", keys, self._problems)
            for number, item in enumerate(self._list(key))
        ]

    def _list(self, key: str) -> list[object]:
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, "must be a list")
            return []
        return value

    def text(self, key: str, *, required: bool = False, longest: int = 500) -> str:
        value = self._value.get(key)
        if value is None or value == "":
            if required:
                self.problem(key, "is required")
            return ""
        if not isinstance(value, str):
            self.problem(key, "must be text: put it in quotes")
            return ""
        if len(value) > longest or "\x00" in value:
            self.problem(key, f"must have at most {longest} characters")
            return ""
        return value

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, "must be true or false")
            return default
        return value

    def integer(self, key: str, *, bounds: tuple[int, int], default: int) -> int:
        value = self._value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
            self.problem(key, f"must be from {bounds[0]} to {bounds[1]}")
            return default
        return value

    def choice(self, key: str, options: Collection[str], *, default: str | None = None) -> str:
        value = self._value.get(key, default)
        if value is None:
            self.problem(key, f"is required: one of {', '.join(options)}")
        elif value not in options:
            self.problem(key, f"must be one of {', '.join(options)}")
        else:
            return str(value)
        return default or next(iter(options))

    def texts(self, key: str, check: Callable[[str], str | None]) -> list[str]:
        """A list of strings, each through `check`, which says what is wrong with it or None."""
        found: list[str] = []
        for number, value in enumerate(self._list(key)):
            wrong = check(value) if isinstance(value, str) else "must be text: put it in quotes"
            if wrong is None and value in found:
                wrong = "stands twice"
            if wrong:
                self.problem(f"{key}[{number}]", wrong)
            else:
                found.append(str(value))
        return found

    def day(self, key: str) -> date:
        value = self._value.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.problem(key, "must be a date such as 2027-01-31")
        return date.min
