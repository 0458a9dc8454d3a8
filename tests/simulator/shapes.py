"""What two answers have in common that differ in their ids and times."""

from typing import Any


def shape(value: Any) -> Any:
    """The keys and the types of the values; lists by their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value)
