"""The settings of an account at Twilio."""

import re
from base64 import b64encode
from functools import cached_property
from typing import Annotated, Self

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import AfterValidator, Field, SecretStr, model_validator

from channels.calls import ApiUrl
from channels.provider_settings import (
    Input,
    ProviderSettings,
    Secret,
    SenderId,
    contradiction,
    matching,
    tokens,
)

API = ApiUrl("twilio", "https://api.twilio.com")
_PRODUCTS = "https://{product}.twilio.com"
CALLBACK_PATH = "/sms/twilio/status"


def product_url(product: str) -> str:
    """The base of another of Twilio's APIs, which have hosts of their own; where the operator moved the first one, all
    of them are there."""
    return _PRODUCTS.format(product=product) if str(API) == API.default else str(API)


def _sid(prefix: str) -> AfterValidator:
    def problem() -> str:
        return gettext("must begin with %(prefix)s and have 32 hexadecimal digits after it") % {
            "prefix": prefix
        }

    return matching(re.compile(prefix + r"[0-9a-fA-F]{32}\Z"), problem)


class TwilioSettings(ProviderSettings):
    account_sid: Annotated[str, Field(max_length=64), _sid("AC"), Input(_("Account SID"))]
    auth_token: Annotated[Secret, Input(_("Auth token"))]
    auth_token_previous: Annotated[
        Secret, Input(_("Previous auth token"), _("Still accepted on reports while you rotate."))
    ] = SecretStr("")
    from_number: Annotated[SenderId, Input(_("From"), key="from")] = ""
    messaging_service_sid: Annotated[
        str, Field(max_length=64), _sid("MG"), Input(_("Messaging Service SID"))
    ] = ""

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if bool(self.from_number) == bool(self.messaging_service_sid):
            raise contradiction("from_number", gettext("give either from or messaging_service_sid"))
        return self

    @cached_property
    def auth_tokens(self) -> tuple[str, ...]:
        return tokens(self.auth_token, self.auth_token_previous)

    @property
    def sends_from(self) -> str:
        return self.from_number or self.messaging_service_sid

    @property
    def reply_number(self) -> str:
        return self.from_number


def basic_auth(account: TwilioSettings) -> str:
    """The header Authorization of a call that reads. The token is in it: never print it."""
    credentials = f"{account.account_sid}:{account.auth_tokens[0]}"
    return f"Basic {b64encode(credentials.encode()).decode()}"
