"""What every provider's tests send, and with which credentials."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl

from pydantic import SecretStr

from channels.base import SenderConfig
from channels.models import Sender
from channels.types import Channel, Message

DELIVERY_ID = uuid.UUID("01890000-0000-7000-8000-00000000abcd")
PHONE = "+525550100123"
CODE = "482913"
TEXT = "482913 is your Acme code. Do not share it.\n\n@login.acme.example #482913"
WAMID = "wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA="
SECRETS = (
    "access-token-of-acme",
    "auth-token-of-acme",
    "signing-secret-of-acme",
    "api-secret-of-acme",
    "signature-secret-of-acme",
)


def message(**fields: Any) -> Message:
    values: dict[str, Any] = {
        "delivery_id": DELIVERY_ID,
        "phone": PHONE,
        "code": CODE,
        "language": "es-MX",
        "text": TEXT,
        "valid_seconds": 300,
        "callback_origin": "https://login.acme.example",
    }
    return Message(**(values | fields))


def config(provider: str, channel: Channel, values: dict[str, Any]) -> SenderConfig[Any]:
    """A sender in memory. `app_secrets` and `auth_tokens` are the current secret and the previous one."""
    for name in ("app_secret", "auth_token", "signature_secret", "signing_secret"):
        if f"{name}s" in values:
            values[name], values[f"{name}_previous"] = (*values.pop(f"{name}s"), "", "")[:2]
    named = {name: values.pop(name) for name in ("id", "project_id") if name in values}
    row = Sender(channel=channel, provider=provider)
    row.values = values
    known: dict[str, Any] = {"id": uuid.uuid4(), "project_id": None} | named
    return SenderConfig(**known, channel=channel, provider=provider, settings=row.typed())


def changed(sender: SenderConfig[Any], **fields: Any) -> SenderConfig[Any]:
    """The same sender with other settings."""
    known = {name: plain(getattr(sender.settings, name)) for name in type(sender.settings).model_fields}
    named = {"id": sender.id, "project_id": sender.project_id}
    return config(sender.provider, sender.channel, known | named | fields)


def plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def whatsapp_sender(**fields: Any) -> SenderConfig[Any]:
    values: dict[str, Any] = {
        "phone_number_id": "330022114455667",
        "business_account_id": "220011223344556",
        "template_name": "login_code",
        "template_languages": ("en", "es"),
        "access_token": "access-token-of-acme",
    }
    return config("meta", Channel.WHATSAPP, values | fields)


def twilio_sender(**fields: Any) -> SenderConfig[Any]:
    values: dict[str, Any] = {
        "account_sid": "AC00000000000000000000000000000001",
        "auth_tokens": ("auth-token-of-acme", "the-token-before"),
        "from_number": "+15005550006",
    }
    return config("twilio", Channel.SMS, values | fields)


def gateway_sender(**fields: Any) -> SenderConfig[Any]:
    values: dict[str, Any] = {"url": "http://127.0.0.1:9/messages"}
    if "signing_secrets" not in fields:
        values["signing_secret"] = "signing-secret-of-acme"
    return config("http", Channel.SMS, values | fields)


def vonage_sender(**fields: Any) -> SenderConfig[Any]:
    values: dict[str, Any] = {
        "api_key": "abcd1234",
        "api_secret": "api-secret-of-acme",
        "signature_secrets": (
            "signature-secret-of-acme-and-long-enough",
            "the-signature-secret-before-it-was-rotated",
        ),
        "from_number": "+15005550006",
    }
    return config("vonage", Channel.SMS, values | fields)


def head_of(request: bytes) -> tuple[str, dict[str, str]]:
    """The request line and the headers (names in lower case)."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def json_of(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def form_of(request: bytes) -> dict[str, str]:
    return dict(parse_qsl(request.partition(b"\r\n\r\n")[2].decode(), keep_blank_values=True))
