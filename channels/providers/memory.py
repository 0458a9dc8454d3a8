"""Keeps messages in memory, for tests. Failures can be ordered."""

import threading
from collections import deque

from django.utils.translation import gettext_lazy as _

from channels.base import SenderConfig
from channels.provider import Provider
from channels.providers import local
from channels.types import Message, Receipt


class MemoryBackend:
    """Thread-safe. See `channels.base.Backend`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: list[Message] = []
        self._outcomes: deque[Exception | Receipt] = deque()

    @property
    def outbox(self) -> list[Message]:
        """A copy of what was taken, oldest first."""
        with self._lock:
            return list(self._sent)

    def then(self, *outcomes: Exception | Receipt) -> None:
        """What the next calls come to, in order: an error is raised, a receipt returned. Afterwards all goes well."""
        with self._lock:
            self._outcomes.extend(outcomes)

    def clear(self) -> None:
        with self._lock:
            self._sent.clear()
            self._outcomes.clear()

    def send(self, message: Message, sender: SenderConfig[local.LocalSettings]) -> Receipt:  # noqa: ARG002 # the protocol's
        with self._lock:
            outcome = self._outcomes.popleft() if self._outcomes else None
            if isinstance(outcome, Exception):
                raise outcome
            self._sent.append(message)
            return outcome or Receipt(provider_message_id=f"memory-{message.delivery_id}-{len(self._sent)}")


MEMORY = Provider(
    name="memory",
    label=_("Memory (tests only)"),
    channels=local.CHANNELS,
    settings=local.LocalSettings,
    backend=MemoryBackend,
    check=local.check,
    is_for_development=True,
)
