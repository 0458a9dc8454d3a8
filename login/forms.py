"""What the phone page accepts, bounded before anything looks at it."""

from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from channels.types import Channel
from users import phones
from users.phones import InvalidPhone, Phone, PhoneProblem

PHONE_LIMIT = 40
TOKEN_LIMIT = 64


@dataclass(frozen=True, kw_only=True)
class PhoneForm:
    """The fields as typed. Too long is the same as nonsense: it is refused, and shown again cut off."""

    phone: str = field(repr=False)
    country: str
    channel: Channel | None
    token: str
    next: str

    def parse(self) -> Phone:
        """The number that was meant. A typed `+` code wins over the chosen country. Raises InvalidPhone."""
        return phones.parse(self.phone, country=self.country or None)


def read_phone_form(data: QueryDict) -> PhoneForm:
    country = _line(data.get("country"), 2).upper()
    return PhoneForm(
        phone=_line(data.get("phone"), PHONE_LIMIT + 1),
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
        channel=chosen_channel(data),
        token=token if len(token := _line(data.get("form_token"), TOKEN_LIMIT + 1)) <= TOKEN_LIMIT else "",
        next=data.get("next") or "",
    )


def chosen_channel(data: QueryDict) -> Channel | None:
    """An explicit choice; anything else that was posted is none."""
    return next((channel for channel in Channel if channel.value == data.get("channel")), None)


def typed_digits(data: QueryDict) -> str:
    """The digits of a typed code in ASCII; nothing when it cannot be one."""
    return phones.digits(data.get("code") or "")


def phone_problem(problem: InvalidPhone, typed: str) -> str:
    """Why a number was not taken, in words that help to mend it."""
    if not typed.strip():
        return _("Type your mobile number.")
    match problem.problem:
        case PhoneProblem.LANDLINE | PhoneProblem.NO_MESSAGES:
            return _("This number cannot receive messages. Use a mobile number.")
        case PhoneProblem.NOT_POSSIBLE:
            return _("This number is too short or too long. Check the country and the number, please.")
    return _("This is not a mobile number. Check the country and the number, please.")


def _line(value: str | None, limit: int) -> str:
    """One bounded line: NUL and other control characters never reach a parser or the database."""
    return "".join(character for character in (value or "")[:limit] if character.isprintable()).strip()
