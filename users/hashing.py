"""Password hashing, at most two at a time in a process: each takes a core for a third of a second."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

from django.contrib.auth.hashers import PBKDF2PasswordHasher

# Unknown browsers get one of the two slots, so that known ones can log in while the form is being flooded.
_SLOTS, _UNKNOWN_SLOTS = 2, 1
# For code that hashes without a slot, such as a form that sets a password.
_MAX_WAIT_SECONDS = 5.0

_slots = threading.BoundedSemaphore(_SLOTS)
_unknown_slots = threading.BoundedSemaphore(_UNKNOWN_SLOTS)
_has_slot: ContextVar[bool] = ContextVar("has_slot", default=False)


class Busy(Exception):
    """No slot became free in time. Nothing was hashed."""


@contextmanager
def slot(*, unknown_browser: bool, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold one slot for all hashes made inside. Raises Busy."""
    with ExitStack() as stack:
        for semaphore in (_unknown_slots, _slots) if unknown_browser else (_slots,):
            if not semaphore.acquire(timeout=wait_seconds):
                raise Busy
            stack.callback(semaphore.release)
        token = _has_slot.set(True)
        stack.callback(_has_slot.reset, token)
        yield


class BoundedHasher(PBKDF2PasswordHasher):
    """Django's hasher, limited to the slots. The stored form is the same."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        if _has_slot.get():
            return super().encode(password, salt, iterations)
        with slot(unknown_browser=False, wait_seconds=_MAX_WAIT_SECONDS):
            return super().encode(password, salt, iterations)
