"""What every provider's tests send, and with which credentials."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl

from channels.base import SenderConfig
from channels.types import Channel, Message, Provider

DELIVERY_ID = uuid.UUID("01890000-0000-7000-8000-00000000abcd")
PHONE = "+525550100123"
CODE = "482913"
TEXT = "482913 is your Acme code. Do not share it.\n\n@login.acme.example #482913"
WAMID = "wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA="
SECRETS = ("access-token-of-acme", "auth-token-of-acme", "signing-secret-of-acme")


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


def whatsapp_sender(**fields: Any) -> SenderConfig:
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "project_id": None,
        "channel": Channel.WHATSAPP,
        "provider": Provider.META,
        "phone_number_id": "330022114455667",
        "business_account_id": "220011223344556",
        "template_name": "login_code",
        "template_languages": ("en", "es"),
        "access_token": "access-token-of-acme",
    }
    return SenderConfig(**(values | fields))


def twilio_sender(**fields: Any) -> SenderConfig:
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "project_id": None,
        "channel": Channel.SMS,
        "provider": Provider.TWILIO,
        "account_sid": "AC00000000000000000000000000000001",
        "auth_tokens": ("auth-token-of-acme", "the-token-before"),
        "from_number": "+15005550006",
    }
    return SenderConfig(**(values | fields))


def gateway_sender(**fields: Any) -> SenderConfig:
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "project_id": None,
        "channel": Channel.SMS,
        "provider": Provider.HTTP,
        "url": "http://127.0.0.1:9/messages",
        "signing_secret": "signing-secret-of-acme",
    }
    return SenderConfig(**(values | fields))


def head_of(request: bytes) -> tuple[str, dict[str, str]]:
    """The request line and the headers (names in lower case)."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    return first, {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


def json_of(request: bytes) -> Any:
    return json.loads(request.partition(b"\r\n\r\n")[2])


def form_of(request: bytes) -> dict[str, str]:
    return dict(parse_qsl(request.partition(b"\r\n\r\n")[2].decode(), keep_blank_values=True))
