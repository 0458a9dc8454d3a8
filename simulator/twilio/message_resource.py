"""Twilio's Message resource as its calls answer it: https://www.twilio.com/docs/messaging/api/message-resource"""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from simulator.server.state import SmsPrice
from simulator.twilio.callbacks import TwilioMessage

_UNSENT = ("accepted", "queued")
# Twilio bills what it handed to a carrier, whatever became of it there.
_BILLED = ("sent", "delivered", "undelivered")


def date_sent(message: TwilioMessage) -> datetime | None:
    return None if message.status in _UNSENT else message.updated_at.replace(microsecond=0)


def resource(message: TwilioMessage, price: SmsPrice) -> dict[str, object]:
    sent_at = date_sent(message)
    is_priced = _is_priced(message, price)
    uri = f"/2010-04-01/Accounts/{message.account.account_sid}/Messages/{message.id}"
    return {
        "account_sid": message.account.account_sid,
        "api_version": "2010-04-01",
        "body": message.text,
        "date_created": format_datetime(message.created_at),
        "date_sent": format_datetime(sent_at) if sent_at else None,
        "date_updated": format_datetime(message.updated_at),
        "direction": "outbound-api",
        "error_code": message.error_code,
        "error_message": None if message.error_code is None else "Unreachable destination handset",
        "from": message.from_number or (message.account.from_number if sent_at else None),
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": "0",
        "num_segments": "1" if sent_at or not message.messaging_service_sid else "0",
        "price": price.amount if is_priced else None,
        "price_unit": price.unit if is_priced else None,
        "sid": message.id,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _is_priced(message: TwilioMessage, price: SmsPrice) -> bool:
    """The price is worked out some time after the message went."""
    known_at = message.updated_at + timedelta(seconds=price.after_seconds)
    return message.status in _BILLED and datetime.now(UTC) >= known_at
