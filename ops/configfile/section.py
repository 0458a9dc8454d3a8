"""What all sections of the configuration file have in common: strict types, and problems as lines with their paths."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, PydanticUndefined

type Loc = tuple[str | int, ...]


class Section(BaseModel):
    """A mapping of the file. Values are never converted, unknown keys are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:  # noqa: ANN401 # whatever YAML holds
        """A key without a value counts as absent, unless its default would then take the place of a typing error."""
        if not isinstance(value, dict):
            return value
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        return {
            key: item
            for key, item in value.items()
            if key not in fields or not _is_empty(item, fields[key].default)
        }


def _is_empty(value: object, default: object) -> bool:
    if value is None:
        return not isinstance(default, bool | int | str) or default == ""
    return value == "" and (default == "" or default is PydanticUndefined)


def mappings(parent: object, key: str) -> Iterator[tuple[str, dict[Any, Any]]]:
    """The mappings of a list in the raw document, with their paths."""
    items = parent.get(key) if isinstance(parent, dict) else None
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{key}[{number}]", item


# Types ----------------------------------------------------------------------------------------------


def checked(problem_of: Callable[[Any], str | None]) -> AfterValidator:
    """Refuses a value with the words that `problem_of` returns for it."""

    def check[T](value: T) -> T:
        if problem := problem_of(value):
            raise ValueError(problem)
        return value

    return AfterValidator(check)


def between(bounds: tuple[int, int]) -> BeforeValidator:
    """A whole number within the bounds."""

    def check(value: object) -> object:
        if type(value) is not int or not bounds[0] <= value <= bounds[1]:  # a bool is no number here
            raise ValueError(f"must be from {bounds[0]} to {bounds[1]}")
        return value

    return BeforeValidator(check)


def one_of(options: Collection[str]) -> BeforeValidator:
    """One of the words. As the default, None says that a word is required."""

    def check(value: object) -> object:
        if value is None:
            raise ValueError(f"is required: one of {', '.join(options)}")
        if value not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return value

    return BeforeValidator(check)


def _unique(values: list[str]) -> list[str]:
    refuse(((number,), "duplicate value") for number, value in enumerate(values) if value in values[:number])
    return values


def text(longest: int) -> Any:  # noqa: ANN401 # a validator for Annotated
    return checked(
        lambda value: (
            f"must have at most {longest} characters" if len(value) > longest or "\x00" in value else ""
        )
    )


Text = Annotated[str, text(500)]
Unique = AfterValidator(_unique)


# Problems -------------------------------------------------------------------------------------------


def refuse(problems: Iterable[tuple[Loc, str]]) -> None:
    """Raises ValidationError with each problem at its place below the value that is being validated."""
    details = [
        InitErrorDetails(type=PydanticCustomError("problem", "{text}", {"text": text}), loc=loc, input=None)
        for loc, text in problems
    ]
    if details:
        raise ValidationError.from_exception_data("section", details)


_WORDS = {
    "missing": "is required",
    "too_short": "is required",
    "extra_forbidden": "unknown key",
    "invalid_key": "unknown key",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be a mapping of keys",
    "date_type": "must be a date such as 2027-01-31",
}


def lines(error: ValidationError) -> list[str]:
    """Every problem as a line with its path. Values are never in it: they may be secrets."""
    return [_line(item) for item in error.errors(include_url=False)]


def _line(item: ErrorDetails) -> str:
    *parents, last = item["loc"] or ("",)
    if item["type"] == "invalid_key":
        last = str(last)
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in (*parents, last)).lstrip(
        "."
    )
    return f"{path}: {_problem(item)}" if path else _problem(item)


def _problem(item: ErrorDetails) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    if item["type"] == "string_type":
        return not_text(item["input"])
    return _WORDS.get(item["type"], item["msg"])


def not_text(value: object) -> str:
    """What to do about a value that is no text: YAML gives some words and digits another type than people expect."""
    if isinstance(value, bool):
        hint = f"quote it: YAML reads {'YES and ON as true' if value else 'NO and OFF as false'}"
    elif isinstance(value, int | float):
        hint = "quote it: YAML reads digits as a number"
    else:
        hint = "quote it: YAML reads it as a date" if isinstance(value, date) else "not a list or a mapping"
    return f"must be text, {hint}"
