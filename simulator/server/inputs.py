"""Reading what the control API is given. Every problem is a BadRequest that names the key."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any

from simulator.server.routing import BadRequest

type Reader = Callable[[object, str], Any]


def read_changes(changes: object, readers: Mapping[str, Reader], *, path: str = "") -> dict[str, Any]:
    """The values of a partial change, each read by the reader of its key."""
    if not isinstance(changes, dict):
        raise BadRequest(f"{path.removesuffix('.')}: must be an object")
    check_keys(changes, readers, path=path)
    return {key: readers[key](value, path + key) for key, value in changes.items()}


def check_keys(body: Mapping[str, object], known: Collection[str], *, path: str = "") -> None:
    for key in body:
        if key not in known:
            raise BadRequest(f"{path}{key}: unknown; one of {', '.join(sorted(known))}")


def word_of[Word: StrEnum](words: type[Word]) -> Callable[[object, str], Word]:
    """A reader of one word of a closed list."""

    def read(value: object, path: str) -> Word:
        return words(read_choice(value, tuple(words), path))

    return read


def read_choice(value: object, choices: Collection[str], path: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise BadRequest(f"{path}: must be one of {', '.join(choices)}")
    return value


def read_flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise BadRequest(f"{path}: must be true or false")
    return value


def read_whole_number(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"{path}: must be a whole number")
    return value


def read_milliseconds(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3_600_000:
        raise BadRequest(f"{path}: must be a whole number from 0 to 3600000")
    return value


def read_seconds(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 3600:
        raise BadRequest(f"{path}: must be a number from 0 to 3600")
    return float(value)


def read_text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{path}: must be a text")
    return value
