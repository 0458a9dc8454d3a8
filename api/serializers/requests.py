"""What the API takes. The serializers check it and document it; values go on in dataclasses.

Unknown fields are ignored; null means absent. Texts about what is wrong are English and never
quote what was sent.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from api.errors import Problem
from channels import languages
from channels.types import Channel
from otp import codes
from otp.models import Purpose
from users import phones
from users.phones import Phone

PURPOSES = ("login", "assertion")
# What verify once chose; now it may only say again what the challenge was begun for.
MODES = {"tokens": Purpose.LOGIN, "assertion": Purpose.ASSERTION}
_COUNTRY = RegexValidator(r"^[A-Za-z]{2}\Z", "must be two letters (ISO 3166)")
_WORDS: dict[str, Any] = {
    "required": "is missing",
    "null": "must not be null",
    "invalid": "must be a string",
    "blank": "must not be empty",
    "max_length": "must be at most {max_length} characters long",
}


class Text(serializers.CharField):
    """A string: a number or a boolean is not one. api.parsers has refused what is not text."""

    default_error_messages = _WORDS

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 # DRF's signature
        if not isinstance(data, str):
            self.fail("invalid")
        return data.strip()


@extend_schema_field({})
class Locale(serializers.CharField):
    """A hint about language: never refused."""

    def run_validation(self, data: Any = empty) -> str:  # noqa: ANN401 # DRF's signature
        return languages.clean(data) if isinstance(data, str) else ""


class Choice(serializers.ChoiceField):
    def __init__(self, choices: Any, **more: Any) -> None:  # noqa: ANN401 # DRF's signature
        words: dict[str, Any] = {**_WORDS, "invalid_choice": f"must be one of: {', '.join(choices)}"}
        super().__init__(choices=choices, error_messages=words, **more)


def _optional(**more: Any) -> dict[str, Any]:  # noqa: ANN401 # DRF's options
    return {"required": False, "allow_null": True, **more}


class EndUser(serializers.Serializer[Any]):
    end_user_ip = Text(
        **_optional(max_length=45),
        help_text="Confidential clients only: the address of the person, which limits are counted for. "
        "Without it they are counted for the address that calls.",
    )

    def validate_end_user_ip(self, value: str | None) -> str | None:
        address = _address(value) if value else None
        if value and address is None:
            raise serializers.ValidationError("is not an IP address")
        return address


def _address(text: str) -> str | None:
    """Without a zone, which is of one machine only."""
    try:
        return str(ipaddress.ip_address(text)) if "%" not in text else None
    except ValueError:
        return None


class Start(EndUser):
    client_id = Text(
        **_optional(max_length=100), help_text="Of a public client. Confidential ones use HTTP Basic."
    )
    phone = Text(max_length=phones.LONGEST_INPUT, help_text="As it was typed, or in E.164.")
    country = Text(
        **_optional(max_length=2, validators=[_COUNTRY]),
        help_text="ISO 3166 code: how to read a number without its calling code.",
    )
    channel = Choice(
        [channel.value for channel in Channel],
        **_optional(),
        help_text="An explicit choice: the code goes this way or not at all. Without it the project's rule decides.",
    )
    purpose = Choice(
        PURPOSES,
        **_optional(),
        help_text="What the code will be good for: `login` (without it) signs the person in, `assertion` only proves "
        "the number.",
    )
    locale = Locale(
        **_optional(),
        help_text="The language of the message: a BCP 47 tag, a POSIX or Java locale. A hint, which is never refused: "
        "without one that can be read Accept-Language decides.",
    )

    def validate_country(self, value: str | None) -> str | None:
        if value and value.upper() not in phones.calling_codes():
            raise serializers.ValidationError("is not a country")
        return value


class Send(EndUser):
    channel = Choice(
        [channel.value for channel in Channel],
        **_optional(),
        help_text="Without it: again on the channel in use.",
    )


class Verify(EndUser):
    code = Text(
        max_length=codes.LONGEST_INPUT,
        help_text="As it was typed or pasted; what cannot be the code is no attempt.",
    )
    mode = Choice(
        list(MODES),
        **_optional(),
        help_text="Of an earlier version, and needed no longer: `purpose` at the start decides, and another mode is "
        "refused.",
    )


# Serializers keep no state of a request: one of each is enough, and making one costs more than using it.
_START, _SEND, _VERIFY = Start(), Send(), Verify()
# Of the fields that they know, those that nearly all programs send, and how long such a value may be. The serializers,
# which ask each of their fields for a value, would let these pass as they are (tests compare).
_WORD = re.compile(r"[!-~]+")
_START_FIELDS, _VERIFY_FIELDS = frozenset(_START.fields), frozenset(_VERIFY.fields)
_PLAIN_START = {"client_id": 100, "phone": phones.LONGEST_INPUT}
_PLAIN_VERIFY = {"code": codes.LONGEST_INPUT}


@dataclass(frozen=True, kw_only=True)
class StartInput:
    client_id: str
    phone: Phone
    channel: Channel | None
    locale: str
    purpose: Purpose
    end_user_ip: str | None


@dataclass(frozen=True, kw_only=True)
class SendInput:
    channel: Channel | None
    end_user_ip: str | None


@dataclass(frozen=True, kw_only=True)
class VerifyInput:
    code: str = field(repr=False)
    purpose: Purpose | None  # None: not given
    end_user_ip: str | None


def start(data: Mapping[str, Any]) -> StartInput:
    """Raises Problem, and InvalidPhone."""
    is_plain = "phone" in data and _is_plain(data, _START_FIELDS, _PLAIN_START)
    values = data if is_plain else _checked(_START, data)
    return StartInput(
        client_id=values.get("client_id") or "",
        phone=phones.read(values["phone"], country=values.get("country")),
        channel=_channel(values),
        locale=values.get("locale") or "",
        purpose=Purpose(values["purpose"]) if values.get("purpose") else Purpose.LOGIN,
        end_user_ip=values.get("end_user_ip"),
    )


def send(data: Mapping[str, Any]) -> SendInput:
    """Raises Problem."""
    values = _checked(_SEND, data)
    return SendInput(channel=_channel(values), end_user_ip=values.get("end_user_ip"))


def verify(data: Mapping[str, Any]) -> VerifyInput:
    """Raises Problem."""
    is_plain = "code" in data and _is_plain(data, _VERIFY_FIELDS, _PLAIN_VERIFY)
    values = data if is_plain else _checked(_VERIFY, data)
    return VerifyInput(
        code=values["code"],
        purpose=MODES.get(values.get("mode") or ""),
        end_user_ip=values.get("end_user_ip"),
    )


def _is_plain(data: Mapping[str, Any], known: frozenset[str], longest: Mapping[str, int]) -> bool:
    """Of the fields that the serializer knows only these, each a short ASCII word. It ignores all others."""
    for name in data.keys() & known:
        value = data[name]
        if name not in longest or not isinstance(value, str) or len(value) > longest[name]:
            return False
        if not _WORD.fullmatch(value):
            return False
    return True


def _channel(values: Mapping[str, Any]) -> Channel | None:
    return Channel(values["channel"]) if values.get("channel") else None


def _checked(serializer: serializers.Serializer[Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        values: Mapping[str, Any] = serializer.run_validation(data)
    except serializers.ValidationError as error:
        detail: Mapping[str, Sequence[str]] = error.detail  # type: ignore[assignment] # by field
        problems = {name: str(words[0]) for name, words in detail.items()}
        text = "; ".join(f"{name} {words}" for name, words in problems.items())
        raise Problem("invalid_request", f"{text}.", invalid_params=problems) from error
    return values
