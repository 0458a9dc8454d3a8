"""Values that cross between sending and its callers. Frozen; no Django, no database."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Channel(StrEnum):
    WHATSAPP = "whatsapp"
    SMS = "sms"


class Status(IntEnum):
    """What became of a delivery. The number is its rank: a status only climbs.

    FAILED and EXPIRED end it, but good news that comes late still counts, so they rank below DELIVERED.
    """

    QUEUED = 0
    SENDING = 1
    ACCEPTED = 2
    SENT = 3
    EXPIRED = 4
    FAILED = 5
    DELIVERED = 6
    READ = 7

    @property
    def word(self) -> str:
        """The public spelling (docs/contract.md, section 6). `sending` is internal: the API reports it as `queued`."""
        return "queued" if self is Status.SENDING else self.name.lower()


# The price category of a message that the provider says it does not bill.
FREE = "free"


class FailureReason(StrEnum):
    """The closed list of why a message did not arrive. `channels.errors` says what each one means."""

    # about the recipient
    NOT_ON_CHANNEL = "not_on_channel"  # no WhatsApp account, or a number that cannot get SMS
    UNREACHABLE = "unreachable"  # handset off, no signal, carrier gave up
    BLOCKED_BY_USER = "blocked_by_user"  # opted out, blocked the business
    REFUSED = "refused"  # the provider chose not to deliver (policy, ecosystem, country)
    IDENTITY_CHANGED = "identity_changed"  # the WhatsApp account changed hands: revokes the challenge
    INVALID_NUMBER = "invalid_number"
    # about the provider, passing
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"  # provider down, connection refused, 5xx
    PAIR_LIMITED = "pair_limited"  # too many messages from us to this one recipient
    SKIPPED = "skipped"  # not even tried: the sender is failing for everybody, or has to slow down
    HELD = "held"  # accepted but held back (pacing, paused template): as good as a failure for a code
    # about our account, lasting
    MISCONFIGURED = "misconfigured"  # token, permission, unknown sender
    PAYMENT = "payment"
    ACCOUNT_BLOCKED = "account_blocked"
    FRAUD_BLOCKED = "fraud_blocked"
    # about a message template in one language; in another it may well work
    TEMPLATE_MISSING = "template_missing"  # does not exist in that language, or is not approved
    TEMPLATE_PAUSED = "template_paused"  # or disabled, for its quality
    TEMPLATE_UNFIT = "template_unfit"  # does not take a code as we send it
    # about us
    NO_SENDER = "no_sender"  # none configured or active for this channel
    BAD_REQUEST = "bad_request"  # the provider says that our request is wrong
    LIMIT = "limit"  # our own ceiling
    CRASHED = "crashed"  # two workers died while sending it
    NO_REPORT = "no_news"  # accepted, then silence for the whole window
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One code on its way to one phone. `text` is finished SMS text; template providers take `code` and `language`."""

    delivery_id: uuid.UUID
    phone: str = field(repr=False)  # E.164
    code: str = field(repr=False)
    language: str  # BCP 47, the user's
    text: str = field(repr=False)
    valid_seconds: int  # what is left of the code's life
    callback_origin: str  # "https://login.example": where the provider posts reports


@dataclass(frozen=True, kw_only=True)
class TemplateRefusal:
    """The provider does not send its template in this language (`Meaning.template`); the sender itself works."""

    language: str  # as it is spelled in the sender's settings
    reason: FailureReason
    provider_code: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The provider took the message. `provider_message_id` is empty when its answer was lost (`certain` is False)."""

    provider_message_id: str = field(default="", repr=False)  # WhatsApp's holds the number
    certain: bool = True
    template_language: str = ""  # what a template was sent in
    refusals: tuple[TemplateRefusal, ...] = ()  # the languages that were tried before it
    is_delivered: bool = False  # it has arrived already: only the sandbox knows that at once


class StatusUpdate(NamedTuple):
    """One item of a provider's report, already authenticated. A tuple: a batch makes a thousand."""

    # Senders whose secret signed the report: only their deliveries may change.
    sender_ids: tuple[uuid.UUID, ...]
    delivery_id: str | None  # our id as its usual text, when the provider echoed it
    provider_message_id: str  # WhatsApp's holds the number
    status: Status
    occurred_at: datetime  # the provider's clock, UTC
    reason: FailureReason | None = None
    provider_code: str = ""  # the provider's own error number, for the operator
    price_category: str = ""  # what it is billed as, in the provider's words; FREE: not billed; "": not said

    def __repr__(self) -> str:
        """Without the message's id, which must not get into logs and tracebacks."""
        return (
            f"StatusUpdate({self.delivery_id}, {self.status.word}, {self.reason or ''}, {self.occurred_at})"
        )


@dataclass(frozen=True, kw_only=True)
class Disavowal:
    """The person says they did not ask for this code (WhatsApp's button). Revokes the challenge."""

    sender_ids: tuple[uuid.UUID, ...]
    provider_message_id: str = field(repr=False)
