"""What providers took, written down for several threads together: one statement for all that came while another was
being written. Each thread waits for its own, so nothing comes between the provider's answer and its record.
"""

import threading
from collections import deque
from dataclasses import dataclass

import structlog

from otp.store import claim as store
from otp.store.claim import Acceptance
from otp.store.connections import retry_write

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Entry:
    acceptance: Acceptance
    is_tried: bool = False
    is_written: bool = False


_pending: deque[_Entry] = deque()
_writing = threading.Lock()


def write(acceptance: Acceptance) -> None:
    """Returns when it is stored. Raises the database's error when it cannot be for some seconds.

    The message is out, and is sent again unless this is recorded: so one of the others that cannot be written (or waits
    for a lock) must not be this one's trouble, and the database gets some time to come back.
    """
    if not _write_together(_Entry(acceptance)):
        retry_write(lambda: store.accept_one(acceptance))


def _write_together(entry: _Entry) -> bool:
    _pending.append(entry)
    with _writing:
        if not entry.is_tried:
            _try([_pending.popleft() for _ in range(len(_pending))])
    return entry.is_written


def _try(entries: list[_Entry]) -> None:
    try:
        written = store.accept([entry.acceptance for entry in entries])
    except Exception as error:  # noqa: BLE001 # each is written by itself then, and says what is wrong
        log.warning("acceptances.not_together", count=len(entries), error=type(error).__name__)
        written = set()
    for entry in entries:
        entry.is_written = entry.acceptance.delivery_id in written
        entry.is_tried = True
