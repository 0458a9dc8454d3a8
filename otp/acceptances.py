"""What providers took, written down for several threads together: one statement for all that came while another was
being written. Each thread waits for its own, so nothing comes between the provider's answer and its record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from core.coalescing import Coalescer
from otp.store import claim as store
from otp.store.claim import Acceptance
from otp.store.connections import retry_write

log = structlog.get_logger(__name__)

# More than any worker has threads.
_MOST_TOGETHER = 1000


@dataclass(eq=False, slots=True)
class _Entry:
    acceptance: Acceptance
    is_written: bool = False


def write(acceptance: Acceptance) -> None:
    """Returns when it is stored. Raises the database's error when it cannot be for some seconds.

    The message is out, and is sent again unless this is recorded: so one of the others that cannot be written (or waits
    for a lock) must not be this one's trouble, and the database gets some time to come back.
    """
    entry = _Entry(acceptance)
    _write_together([entry])
    if not entry.is_written:
        retry_write(lambda: store.accept_one(acceptance))


def _try(entries: Sequence[_Entry]) -> None:
    try:
        written = store.accept([entry.acceptance for entry in entries])
    except Exception as error:  # noqa: BLE001 # each is written by itself then, and says what is wrong
        log.warning("acceptances.not_together", count=len(entries), error=type(error).__name__)
        return
    for entry in entries:
        entry.is_written = entry.acceptance.delivery_id in written


_write_together = Coalescer(_try, most=_MOST_TOGETHER)
