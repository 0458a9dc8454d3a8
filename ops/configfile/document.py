"""The YAML of a configuration file as plain values: `${NAME}` replaced, duplicate keys refused, bounded in size."""

import os
import re
from typing import Any

import yaml

LARGEST_FILE = 1024 * 1024
# Aliases are counted as often as they are used: a short file can stand for a very large one.
MOST_VALUES = 200_000
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class DuplicateKey(yaml.constructor.ConstructorError):
    """YAML itself would silently keep the last of the two."""


class _Loader(yaml.SafeLoader):
    """Safe, and strict about duplicate keys."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys: set[object] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in keys:
            raise DuplicateKey(None, None, f"duplicate key {key!r}", key_node.start_mark)
        keys.add(key)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def load(text: str) -> tuple[Any, list[str]]:
    """The document (None: unusable), and the problems so far, one line each."""
    variables = _Variables()
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 # derived from the safe loader
        if document is None:  # perhaps truncated: applying it would deactivate the shared senders
            return None, ["file: is empty"]
        return variables.replaced(document, ""), variables.problems
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        kind = "" if isinstance(error, DuplicateKey) else "not YAML: "
        return None, [f"{f'line {mark.line + 1}' if mark else 'file'}: {kind}{problem}"]
    except (RecursionError, ValueError, TypeError):
        return None, ["file: not YAML: cannot be read"]


class _Variables:
    """Replaces `${NAME}` by the environment's value, in copies of what it is given."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._count = 0

    def replaced(self, value: Any, path: str) -> Any:  # noqa: ANN401 # whatever YAML holds
        self._count += 1
        if self._count > MOST_VALUES:
            raise ValueError("too many values")
        if isinstance(value, dict):
            if not all(map(_is_whole, value)):
                raise ValueError("half of a character in a key")
            return {key: self.replaced(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
        if isinstance(value, list):
            return [self.replaced(item, f"{path}[{number}]") for number, item in enumerate(value)]
        return self._text(value, path) if isinstance(value, str) else value

    def _text(self, value: str, path: str) -> str:
        text = _VARIABLE.sub(lambda match: self._value(match[1], path), value)
        if _is_whole(text):
            return text
        self.problems.append(f"{path}: holds half of a character")
        return ""

    def _value(self, name: str, path: str) -> str:
        if name not in os.environ:
            self.problems.append(f"{path}: the environment variable {name} is not set")
        return os.environ.get(name, "")


def _is_whole(value: object) -> bool:
    """Whether it can be stored and shown: escapes of YAML and bytes of the environment may be half of a character."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True
