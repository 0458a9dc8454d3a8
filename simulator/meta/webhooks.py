"""WhatsApp messages, and what Meta posts about them and their account (the shape of 2026), with its signature."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from simulator.accounts import WhatsAppAccount
from simulator.handsets.messages import Message
from simulator.meta import ids
from simulator.meta.errors import failure
from simulator.meta.templates import Template
from simulator.server.faults import ReportFaults

_PAUSE_TITLES = {"PAUSED": "FIRST_PAUSE", "DISABLED": "DISABLED"}
_PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "authentication"}


@dataclass(slots=True, kw_only=True)
class WhatsAppMessage(Message):
    """A message with its account, because the secret of that account's app signs the reports."""

    account: WhatsAppAccount
    wa_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppStatus:
    """One status of one message, as it was when it happened."""

    message: WhatsAppMessage
    status: str
    error_code: int | None


def statuses_body(items: list[WhatsAppStatus], faults: ReportFaults) -> bytes:
    """One webhook document for statuses of one app: an entry per business account, a change per number."""
    entries: list[dict[str, object]] = [_foreign_entry()] if faults.foreign_entries else []
    account, number = map(
        attrgetter, ("message.account.business_account_id", "message.account.phone_number_id")
    )
    for account_id, of_account in groupby(sorted(items, key=account), key=account):
        numbers = groupby(sorted(of_account, key=number), key=number)
        changes = [_change(list(of_number), unknown_fields=faults.unknown_fields) for _, of_number in numbers]
        entries.append({"id": account_id, "changes": changes})
    return _document(*entries)


def test_button_body() -> bytes:
    """What the Test button of the field `messages` posts: a sample that names the account "0"."""
    metadata = {"display_phone_number": "16505551111", "phone_number_id": "123456123"}
    sample = {
        "from": "16315551181",
        "id": "ABGGFlA5Fpa",
        "timestamp": "1504902988",
        "type": "text",
        "text": {"body": "this is a text message"},
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, "messages": [sample]}
    entry = {"id": "0", "time": int(time.time()), "changes": [{"field": "messages", "value": value}]}
    return _document(entry)


def _foreign_entry() -> dict[str, object]:
    """A status of another account and number of the same app: Meta posts them together."""
    metadata = {"display_phone_number": "15550109999", "phone_number_id": "990088007700660"}
    status = {
        "id": ids.new_wamid("15550100001"),
        "status": "delivered",
        "timestamp": str(int(time.time())),
        "recipient_id": "15550100001",
    }
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
    return {"id": "990077006600550", "changes": [{"value": value, "field": "messages"}]}


def not_requested_body(message: WhatsAppMessage) -> bytes:
    """The incoming message that a tap on "I didn't request a code" makes."""
    account = message.account
    display = _digits(account.display_phone_number)
    incoming = {
        "context": {"from": display, "id": message.id},
        "from": message.wa_id,
        "id": ids.new_wamid(message.wa_id),
        "timestamp": str(int(time.time())),
        "type": "button",
        "button": {"payload": "DID_NOT_REQUEST_CODE", "text": "I didn't request a code"},
    }
    value = {**_value_head(message), "contacts": [_contact(message)], "messages": [incoming]}
    change = {"value": value, "field": "messages"}
    entry: dict[str, object] = {"id": account.business_account_id, "changes": [change]}
    return _document(entry)


def account_body(
    business_account_id: str, *, field: str, value: dict[str, object], at: int | None = None
) -> bytes:
    """One event of a business account or its templates: a change without a phone number."""
    change = {"field": field, "value": value}
    entry = {"id": business_account_id, "time": int(time.time()) if at is None else at, "changes": [change]}
    return _document(entry)


def template_status(template: Template) -> dict[str, object]:
    """The value of a `message_template_status_update`."""
    value: dict[str, object] = {
        "event": template.status,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "message_template_category": template.category,
        "reason": "NONE",
    }
    if template.status in _PAUSE_TITLES:
        value["other_info"] = {
            "title": _PAUSE_TITLES[template.status],
            "description": f"Your message template is {template.status.lower()}.",
        }
    return value


def headers(*, app_secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature-256": hub_signature(app_secret=app_secret, body=body),
    }


def hub_signature(*, app_secret: str, body: bytes) -> str:
    """X-Hub-Signature-256 over the exact bytes that go out.

    Written out here so that no receiver is tested against its own code.
    """
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def user_id(message: WhatsAppMessage) -> str:
    account_id = message.account.business_account_id
    return ids.business_scoped_user_id(business_account_id=account_id, wa_id=message.wa_id)


def _change(items: list[WhatsAppStatus], *, unknown_fields: bool) -> dict[str, object]:
    contacts = {item.message.wa_id: _contact(item.message) for item in items}
    statuses = [_status(item) for item in items]
    value = {**_value_head(items[0].message), "contacts": list(contacts.values()), "statuses": statuses}
    if unknown_fields:
        value["new_field"] = {"nested": ["näu", None, 1]}
        statuses.append({**statuses[0], "id": ids.new_wamid("15550100000"), "status": "new_status"})
        for status in statuses:
            status["new_field"] = "näu"
    return {"value": value, "field": "messages"}


def _value_head(message: WhatsAppMessage) -> dict[str, object]:
    metadata = {
        "display_phone_number": _digits(message.account.display_phone_number),
        "phone_number_id": message.account.phone_number_id,
    }
    return {"messaging_product": "whatsapp", "metadata": metadata}


def _contact(message: WhatsAppMessage) -> dict[str, object]:
    return {"profile": {"name": "Lucía"}, "wa_id": message.wa_id, "user_id": user_id(message)}


def _status(item: WhatsAppStatus) -> dict[str, object]:
    message = item.message
    status: dict[str, object] = {
        "id": message.id,
        "status": item.status,
        "timestamp": str(int(time.time())),
        "recipient_id": message.wa_id,
        "recipient_user_id": user_id(message),
    }
    if message.reference is not None:
        status["biz_opaque_callback_data"] = message.reference
    if item.status in ("sent", "delivered"):
        status["pricing"] = _PRICING
    if item.error_code is not None:
        status["errors"] = [failure(item.error_code)]
    return status


def _digits(display: str) -> str:
    return "".join(character for character in display if character.isdigit())


def _document(*entries: dict[str, object]) -> bytes:
    """Compact and ASCII-escaped: exactly these bytes are signed and sent."""
    document = {"object": "whatsapp_business_account", "entry": entries}
    return json.dumps(document, separators=(",", ":")).encode()
