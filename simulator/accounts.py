"""The provider accounts that the simulator knows, read from the environment; nothing here is ever served."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

TEMPLATE_LANGUAGES = (
    "en", "es", "pt_BR", "fr", "de", "it", "ar", "hi", "id", "tr", "ru", "zh_HK", "zh_CN",
)  # fmt: skip
PAUSED_LANGUAGES = ("es_MX",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppAccount:
    """One business phone number with the app that owns it."""

    phone_number_id: str = "100200300400500"
    business_account_id: str = "500400300200100"
    access_token: str = field(default="sim-access-token", repr=False)
    app_secret: str = field(default="sim-app-secret", repr=False)
    verify_token: str = field(default="sim-verify-token", repr=False)
    display_phone_number: str = "+1 555-010-0300"
    verified_name: str = "Acme"
    template: str = "one_time_password"
    languages: tuple[str, ...] = TEMPLATE_LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """One Twilio account with the number and the messaging service it owns."""

    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = field(default="sim-auth-token", repr=False)
    from_number: str = "+15005550006"
    messaging_service_sid: str = "MG00000000000000000000000000000002"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Every account that may call the simulator."""

    whatsapp: tuple[WhatsAppAccount, ...] = (WhatsAppAccount(),)
    twilio: tuple[TwilioAccount, ...] = (TwilioAccount(),)
    gateway_secret: str = field(default="sim-gateway-secret", repr=False)
    gateway_reports_url: str = ""  # where the gateway posts reports; empty: it sends none

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        whatsapp: dict[str, Any] = {**_from_env(environ, "SIMULATOR_WHATSAPP_", WHATSAPP_TEXT_KEYS)}
        twilio = _from_env(environ, "SIMULATOR_TWILIO_", TWILIO_TEXT_KEYS)
        gateway = _from_env(environ, "SIMULATOR_", GATEWAY_TEXT_KEYS)
        return cls(whatsapp=(WhatsAppAccount(**whatsapp),), twilio=(TwilioAccount(**twilio),), **gateway)

    def with_whatsapp(self, account: WhatsAppAccount) -> Self:
        """Add an account; one with the same phone number id is replaced, which is how a token is rotated."""
        kept = tuple(known for known in self.whatsapp if known.phone_number_id != account.phone_number_id)
        return replace(self, whatsapp=(*kept, account))

    def with_twilio(self, account: TwilioAccount) -> Self:
        kept = tuple(known for known in self.twilio if known.account_sid != account.account_sid)
        return replace(self, twilio=(*kept, account))


# Outside word (environment variable in lower case, JSON key) → field.
WHATSAPP_TEXT_KEYS = {item.name: item.name for item in fields(WhatsAppAccount) if item.name != "languages"}
TWILIO_TEXT_KEYS = {
    "account_sid": "account_sid",
    "auth_token": "auth_token",
    "from": "from_number",
    "messaging_service_sid": "messaging_service_sid",
}
GATEWAY_TEXT_KEYS = {name: name for name in ("gateway_secret", "gateway_reports_url")}


def _from_env(environ: Mapping[str, str], prefix: str, keys: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set and not empty: an empty one means the default, as in a copied .env file."""
    values = {field_name: environ.get(prefix + key.upper(), "") for key, field_name in keys.items()}
    return {field_name: value for field_name, value in values.items() if value}
