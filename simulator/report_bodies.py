"""The bodies of delivery reports: Meta's webhooks (2026 shape) and Twilio's status callbacks."""

import json
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from urllib.parse import parse_qs, urldefrag, urlencode, urlsplit

from simulator import phones, signing
from simulator.errors import failure
from simulator.messages import TwilioMessage, WhatsAppMessage
from simulator.posting import Post

FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppStatus:
    """One status of one message, as it was when it happened."""

    message: WhatsAppMessage
    status: str
    error_code: int | None


def status_body(items: list[WhatsAppStatus], *, unknown_fields: bool) -> bytes:
    """One webhook document for statuses of one app: an entry per business account, a change per number."""
    entries = []
    for account_id, of_account in groupby(sorted(items, key=_business_account_id), key=_business_account_id):
        numbers = groupby(sorted(of_account, key=_phone_number_id), key=_phone_number_id)
        changes = [_change(list(of_number), unknown_fields=unknown_fields) for _, of_number in numbers]
        entries.append({"id": account_id, "changes": changes})
    document: dict[str, object] = {"object": "whatsapp_business_account", "entry": entries}
    return _dumps(document)


def not_requested_body(message: WhatsAppMessage) -> bytes:
    """The incoming message that a tap on "I didn't request a code" makes."""
    account = message.account
    display = _digits(account.display_phone_number)
    incoming = {
        "context": {"from": display, "id": message.id},
        "from": message.wa_id,
        "id": phones.new_wamid(message.wa_id),
        "timestamp": str(int(time.time())),
        "type": "button",
        "button": {"payload": "DID_NOT_REQUEST_CODE", "text": "I didn't request a code"},
    }
    value = {**_value_head(message), "contacts": [_contact(message)], "messages": [incoming]}
    change = {"value": value, "field": "messages"}
    entry = {"id": account.business_account_id, "changes": [change]}
    return _dumps({"object": "whatsapp_business_account", "entry": [entry]})


def meta_headers(*, app_secret: str, body: bytes) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "facebookexternalua",
        "X-Hub-Signature-256": signing.hub_signature(app_secret=app_secret, body=body),
    }


def callback_form(
    message: TwilioMessage, *, status: str, error_code: int | None, unknown_fields: bool
) -> dict[str, str]:
    form = {"ApiVersion": "2010-04-01", "AccountSid": message.account.account_sid}
    if message.messaging_service_sid:
        form["MessagingServiceSid"] = message.messaging_service_sid
    form |= {"From": message.from_number or message.account.from_number, "To": message.to}
    form |= {"MessageSid": message.id, "SmsSid": message.id, "MessageStatus": status, "SmsStatus": status}
    if error_code is not None:
        form["ErrorCode"] = str(error_code)
    if status in ("delivered", "undelivered"):
        form["RawDlrDoneDate"] = datetime.now(UTC).strftime("%y%m%d%H%M")
    if unknown_fields:
        form |= {"NewField": "näu", "EmptyField": ""}
    return form


def callback_post(*, url: str, form: dict[str, str], auth_token: str, key: str) -> Post:
    """Twilio repeats once, and only when it could not connect; the URL's fragment may ask for more."""
    target, fragment = urldefrag(url)
    wishes = parse_qs(fragment)
    retries = wishes.get("rc", ["1"])[0]
    headers = {
        "Content-Type": FORM_TYPE,
        "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        "X-Twilio-Signature": signing.twilio_signature(auth_token=auth_token, url=target, form=form),
    }
    return Post(
        url=target,
        body=urlencode(form).encode(),
        headers=headers,
        key=key,
        tries=1 + (int(retries) if retries in set("012345") else 1),
        retry_on_status="5xx" in wishes.get("rp", [""])[0] or "all" in wishes.get("rp", [""])[0],
    )


def is_callback_url(url: str) -> bool:
    """Twilio takes http(s) only and no underscore in the host name."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in (parts.hostname or "")


def _change(items: list[WhatsAppStatus], *, unknown_fields: bool) -> dict[str, object]:
    contacts = {item.message.wa_id: _contact(item.message) for item in items}
    statuses = [_status(item) for item in items]
    value = {**_value_head(items[0].message), "contacts": list(contacts.values()), "statuses": statuses}
    if unknown_fields:
        value["new_field"] = {"nested": ["näu", None, 1]}
        statuses.append({**statuses[0], "id": phones.new_wamid("15550100000"), "status": "new_status"})
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
    return {"profile": {"name": "Lucía"}, "wa_id": message.wa_id, "user_id": _user_id(message)}


def _status(item: WhatsAppStatus) -> dict[str, object]:
    message = item.message
    status: dict[str, object] = {
        "id": message.id,
        "status": item.status,
        "timestamp": str(int(time.time())),
        "recipient_id": message.wa_id,
        "recipient_user_id": _user_id(message),
    }
    if message.reference is not None:
        status["biz_opaque_callback_data"] = message.reference
    if item.status in ("sent", "delivered"):
        status["pricing"] = {
            "billable": True,
            "pricing_model": "PMP",
            "type": "regular",
            "category": "authentication",
        }
    if item.error_code is not None:
        status["errors"] = [failure(item.error_code)]
    return status


def _user_id(message: WhatsAppMessage) -> str:
    return phones.business_scoped_user_id(
        business_account_id=message.account.business_account_id, wa_id=message.wa_id
    )


def _business_account_id(item: WhatsAppStatus) -> str:
    return item.message.account.business_account_id


def _phone_number_id(item: WhatsAppStatus) -> str:
    return item.message.account.phone_number_id


def _digits(display: str) -> str:
    return "".join(character for character in display if character.isdigit())


def _dumps(value: object) -> bytes:
    """Compact and ASCII-escaped: exactly these bytes are signed and sent."""
    return json.dumps(value, separators=(",", ":")).encode()
