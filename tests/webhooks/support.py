"""Bodies and signatures as the providers make them, written out here so that nothing is tested against itself."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from channels.base import SenderConfig
from channels.types import Channel, Provider
from tests.fixtures.load import compact
from webhooks import meta, meta_items

SECRET = "00112233445566778899aabbccddeeff"
OTHER_SECRET = "ffeeddccbbaa99887766554433221100"
ACCOUNT, NUMBER, SECOND_NUMBER = "220011223344556", "330022114455667", "330055443322110"
OTHER_ACCOUNT, OTHER_NUMBER = "220099887766554", "330077665544332"
WAMID = "wamid.HBgNNTIxNTU1MDEwMDEyMxUCABEYEkNBOTc4MTEyQ0ExQkJEQ0FGQQA="


def sender(**fields: Any) -> SenderConfig:
    values: dict[str, Any] = {
        "id": uuid.uuid4(),
        "project_id": None,
        "channel": Channel.WHATSAPP,
        "provider": Provider.META,
        "phone_number_id": NUMBER,
        "business_account_id": ACCOUNT,
        "app_secrets": (SECRET,),
    }
    return SenderConfig(**(values | fields))


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def change(number: str | None = NUMBER, *, field: str = "messages", **value: Any) -> dict[str, Any]:
    metadata = {"metadata": {"phone_number_id": number}} if number else {}
    return {"field": field, "value": metadata | value}


def payload(*changes: dict[str, Any], account: str = ACCOUNT) -> dict[str, Any]:
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": account, "changes": list(changes)}],
    }


def status(word: str = "delivered", **fields: Any) -> dict[str, Any]:
    return {"id": WAMID, "status": word, "timestamp": "1795428012", "recipient_id": "5215550100123"} | fields


def reporting(*statuses: Any) -> bytes:
    """A body with these statuses of our number."""
    return compact(payload(change(statuses=list(statuses))))


def twilio_signature(token: str, url: str, form: Mapping[str, str]) -> str:
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


FIXTURE_SENDERS = [
    sender(),
    sender(phone_number_id=SECOND_NUMBER),
    sender(phone_number_id=OTHER_NUMBER, business_account_id=OTHER_ACCOUNT),
]


def trusted(
    body: bytes, senders: list[SenderConfig], signature: str | None = None
) -> list[meta.TrustedChange]:
    return meta.authenticate(
        meta.read(body),
        body=body,
        signature=signed(body) if signature is None else signature,
        senders=senders,
    )


def items(body: bytes, senders: list[SenderConfig] | None = None) -> meta_items.Items:
    return meta_items.translate(trusted(body, senders or [sender()]))
