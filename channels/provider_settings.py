"""The typed settings of a provider: one pydantic class each, with labels, secrets, required fields and rules.

The admin's form, the keys of the configuration file, what `apply` and the admin refuse, and what is in memory while
messages are sent all come from that class.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?\Z")
_TEMPLATE = re.compile(r"[a-z0-9_]+\Z")
# E.164, a short code, or a name of at most eleven characters with at least one letter.
_SENDER_ID = re.compile(r"(\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11})\Z")
DEFAULT_TEMPLATE = "one_time_password"
# What authentication templates say unless they are made otherwise.
TEMPLATE_MINUTES = 10


@dataclass(frozen=True)
class Input:
    """How people meet a field. `key`: in the configuration file, where it is not its name; `a.b` is in a section."""

    label: "StrOrPromise"
    help: "StrOrPromise" = ""
    key: str = ""


class ProviderSettings(BaseModel):
    """Of one sender. A field without a default must be filled in; SecretStr is encrypted and never shown again."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def of_stored(cls, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Self:
        """Unchecked, and empty where something is missing: the rules may be newer than the row."""
        values: dict[str, Any] = {
            name: _stored(field, settings, secrets, name) for name, field in cls.model_fields.items()
        }
        return cls.model_construct(None, **values)

    @property
    def sends_from(self) -> str:
        """What the list of senders shows: a number, an account, an address."""
        return ""

    @property
    def reply_number(self) -> str:
        """Where people can write START after they wrote STOP."""
        return ""


def _stored(field: FieldInfo, settings: Mapping[str, Any], secrets: Mapping[str, str], name: str) -> object:
    if is_secret(field):
        return SecretStr(secrets.get(name, ""))
    value = settings.get(name) or default_of(field)
    return tuple(value) if field.annotation is not str else str(value)


def default_of(field: FieldInfo) -> Any:  # noqa: ANN401 # of the field's type
    """Empty for a required field."""
    return "" if field.is_required() else field.get_default()


def is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


def tokens(*secrets: SecretStr) -> tuple[str, ...]:
    """Those that are filled in, in clear: the current one first, then the one being rotated out."""
    return tuple(secret.get_secret_value() for secret in secrets if secret.get_secret_value())


# Rules --------------------------------------------------------------------------------------------


def matching(pattern: re.Pattern[str], problem: Callable[[], str]) -> AfterValidator:
    """The pattern fits what is filled in. `problem` is called late, in the reader's language."""
    return rule(lambda text: "" if pattern.match(text) else problem())


def rule(check: Callable[[str], str]) -> AfterValidator:
    """`check` says what is wrong with a text, or nothing."""

    def validate[Text: (str, SecretStr)](value: Text) -> Text:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text and (problem := check(text)):
            raise PydanticCustomError("rule", "{problem}", {"problem": problem})
        return value

    return AfterValidator(validate)


def contradiction(field: str, problem: str) -> PydanticCustomError:
    """For a rule across fields, in a model validator."""
    return PydanticCustomError("contradiction", "{problem}", {"problem": problem, "field": field})


def language_problem(language: str) -> str:
    return "" if _LANGUAGE.match(language) else _("must look like en or pt_BR")


def _languages(value: tuple[str, ...]) -> tuple[str, ...]:
    for language in value:
        if problem := language_problem(language):
            raise PydanticCustomError("rule", "{problem}", {"problem": f"{language}: {problem}"})
    return value


Secret = Annotated[
    SecretStr,
    Field(max_length=500),
    matching(_PRINTABLE, lambda: _("must not have spaces, line breaks or letters outside ASCII")),
]
SenderId = Annotated[
    str,
    Field(max_length=32),
    matching(_SENDER_ID, lambda: _("must be a number such as +15005550006, a short code or a name")),
]
TemplateName = Annotated[
    str,
    Field(max_length=512),
    matching(_TEMPLATE, lambda: _("must be lower-case letters, digits and underscores")),
]
Languages = Annotated[tuple[str, ...], AfterValidator(_languages)]
