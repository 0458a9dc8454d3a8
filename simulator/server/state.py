"""All that the simulator remembers, bounded and thread-safe: handsets, messages, sends, faults."""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from simulator.accounts import Accounts
from simulator.handsets.handset import Channel, Handset, changed_handset
from simulator.handsets.messages import Message, Send
from simulator.server.faults import Faults, changed_faults

# Enough for the longest load test; older ones are forgotten so that memory stays bounded.
KEPT_SENDS = 200_000
KEPT_MESSAGES = 200_000
KEPT_HANDSETS = 200_000
KEPT_MESSAGES_PER_HANDSET = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsPrice:
    """What each SMS costs, as Twilio writes it: negative, and known some time after the message went; None: never."""

    amount: str | None = "-0.00790"
    unit: str | None = "USD"
    after_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What accounts are like, where it differs from an account that is well: fields as the provider writes them."""

    number: Mapping[str, object] = field(default_factory=dict)  # of every phone number at Meta
    token: Mapping[str, object] = field(default_factory=dict)  # of every token, in `debug_token`
    review: str = "APPROVED"  # the status that a new template gets
    closed_countries: tuple[str, ...] = ()  # where Twilio's geo permissions allow no SMS
    sms_price: SmsPrice = field(default_factory=SmsPrice)  # at Twilio


class State:
    """One lock guards everything: each operation is a few dictionary accesses."""

    def __init__(self, accounts: Accounts) -> None:
        self._lock = threading.Lock()
        self.accounts = accounts
        self._released = threading.Event()
        self._clear()

    def _clear(self) -> None:
        self.faults = Faults()
        self.facts = Facts()
        self._handsets: OrderedDict[str, Handset] = OrderedDict()
        self.next_handset = Handset(phone="")  # how a number behaves that gets its first message
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self._by_phone: OrderedDict[str, deque[Message]] = OrderedDict()
        self._sends: deque[tuple[int, Send]] = deque(maxlen=KEPT_SENDS)
        self._send_count = 0
        self.unsubscribed: set[str] = set()  # business accounts
        self.callbacks: dict[str, str] = {}  # business account or phone number → webhook address of its own

    def reset(self) -> None:
        """Forget all but the accounts, and release every request that hangs."""
        with self._lock:
            self._clear()
        self.release()

    def release(self) -> None:
        with self._lock:
            released, self._released = self._released, threading.Event()
        released.set()

    def hang(self, seconds: float) -> None:
        """Hold the calling request: until the time is over, or the state is reset."""
        with self._lock:
            released = self._released
        released.wait(seconds)

    def change_faults(self, changes: dict[str, object]) -> Faults:
        with self._lock:
            self.faults = changed_faults(self.faults, changes)
            return self.faults

    def handset(self, phone: str) -> Handset:
        return self._handsets.get(phone) or replace(self.next_handset, phone=phone)

    def change_next_handset(self, changes: dict[str, object]) -> Handset:
        with self._lock:
            self.next_handset = changed_handset(self.next_handset, changes)
            return self.next_handset

    def change_handset(self, phone: str, changes: dict[str, object]) -> Handset:
        with self._lock:
            handset = changed_handset(self.handset(phone), changes)
            self._keep(handset)
            return handset

    def _keep(self, handset: Handset) -> None:
        self._handsets[handset.phone] = handset
        self._handsets.move_to_end(handset.phone)
        _trim(self._handsets, KEPT_HANDSETS)

    def handsets(self, limit: int) -> list[tuple[Handset, datetime | None]]:
        """The known handsets, the most recently messaged first, those never messaged last."""
        with self._lock:
            messaged = list(islice(reversed(self._by_phone.items()), limit))
            silent = [phone for phone in reversed(self._handsets) if phone not in self._by_phone]
        handsets: list[tuple[Handset, datetime | None]] = [
            (self.handset(phone), messages[-1].shown_at or messages[-1].created_at)
            for phone, messages in messaged
        ]
        handsets += [(self.handset(phone), None) for phone in silent[: limit - len(handsets)]]
        return handsets

    def record_send(self, send: Send) -> None:
        with self._lock:
            self._send_count += 1
            self._sends.append((self._send_count, send))
            if self.next_handset != Handset(phone="") and send.to and send.outcome != "refused":
                self._bind_next("+" + send.to.lstrip("+"))

    def _bind_next(self, phone: str) -> None:
        """Give the settings of the next number to this one, unless it has settings of its own."""
        if phone not in self._handsets:
            self._keep(replace(self.next_handset, phone=phone))
            self.next_handset = Handset(phone="")

    def sends(self, *, channel: str | None, to: str | None, after: int) -> list[tuple[int, Send]]:
        with self._lock:
            sends = list(self._sends)
        return [
            (n, send)
            for n, send in sends
            if n > after and channel in (None, send.channel) and to in (None, send.to)
        ]

    def add_message(self, message: Message) -> None:
        with self._lock:
            self._messages[message.id] = message
            _trim(self._messages, KEPT_MESSAGES)
            kept = self._by_phone.setdefault(message.to, deque(maxlen=KEPT_MESSAGES_PER_HANDSET))
            kept.append(message)
            self._by_phone.move_to_end(message.to)
            _trim(self._by_phone, KEPT_HANDSETS)

    def show(self, message: Message) -> None:
        """The handset displays the message from now on."""
        with self._lock:
            message.shown_at = message.shown_at or datetime.now(UTC)

    def advance(self, message: Message, status: str, error_code: int | None) -> None:
        with self._lock:
            message.advance(status, error_code)

    def shown_messages(self, phone: str) -> list[Message]:
        """What the handset displays, in the order of arrival."""
        with self._lock:
            shown = [message for message in self._by_phone.get(phone, ()) if message.shown_at]
        return sorted(shown, key=lambda message: message.shown_at or message.created_at)

    def last_message(self, phone: str, channel: Channel) -> Message | None:
        with self._lock:
            messages = list(self._by_phone.get(phone, ()))
        return next((message for message in reversed(messages) if message.channel is channel), None)

    def messages(self) -> list[Message]:
        """All that are remembered, the oldest first."""
        with self._lock:
            return list(self._messages.values())

    def message(self, message_id: str) -> Message | None:
        return self._messages.get(message_id)


def _trim[Value](mapping: OrderedDict[str, Value], size: int) -> None:
    while len(mapping) > size:
        mapping.popitem(last=False)
