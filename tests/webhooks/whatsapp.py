"""`/whatsapp/webhook` and a sender that it knows."""

from typing import Any

from django.test import Client

from channels.models import Sender
from tests import factories
from tests.webhooks import support
from tests.webhooks.support import signed

PATH = "/whatsapp/webhook"


def make_sender(**fields: Any) -> Sender:
    defaults: dict[str, Any] = {
        "provider": "meta",
        "phone_number_id": support.NUMBER,
        "business_account_id": support.ACCOUNT,
        "app_secret": support.SECRET,
        "app_secret_previous": support.OTHER_SECRET,
        "verify_token": "our verify token",
    }
    return factories.make_sender("whatsapp", **(defaults | fields))


def post(
    body: bytes, *, signature: str | None = None, secret: str = support.SECRET, client: Client | None = None
) -> Any:
    header = signed(body, secret) if signature is None else signature
    headers = {"X-Hub-Signature-256": header} if header else {}
    return (client or Client()).post(PATH, body, content_type="application/json", headers=headers)
