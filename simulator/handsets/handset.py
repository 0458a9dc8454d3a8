"""One handset and how it takes messages: the closed lists of modes, and changes to them."""

from dataclasses import dataclass, replace
from enum import StrEnum

from simulator.server.inputs import read_changes, read_milliseconds, read_seconds, word_of


class Channel(StrEnum):
    WHATSAPP = "whatsapp"
    SMS = "sms"


class WhatsAppMode(StrEnum):
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    SILENT = "silent"
    LATE = "late"
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    NOT_ON_WHATSAPP_SYNC = "not_on_whatsapp_sync"
    ERROR_500 = "error_500"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"


class SmsMode(StrEnum):
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    SILENT = "silent"
    LATE = "late"
    ERROR_21610 = "error_21610"
    ERROR_500 = "error_500"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """One phone and how it takes messages."""

    phone: str
    whatsapp: WhatsAppMode = WhatsAppMode.DELIVERED
    sms: SmsMode = SmsMode.DELIVERED
    delay_ms: int = 0
    late_seconds: float = 40.0


_READERS = {
    "whatsapp": word_of(WhatsAppMode),
    "sms": word_of(SmsMode),
    "delay_ms": read_milliseconds,
    "late_seconds": read_seconds,
}


def changed_handset(handset: Handset, changes: dict[str, object]) -> Handset:
    """The handset with the changes applied. Raises BadRequest and changes nothing when one of them is wrong."""
    return replace(handset, **read_changes(changes, _READERS))
