"""Why a report is not taken, or not all of it."""

from collections import Counter
from enum import StrEnum


class Malformed(Exception):
    """Signed, and not what the provider sends: 400."""


class Untrusted(Exception):
    """Not signed with a secret of ours: 401. `why` is a word for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unreadable(Exception):
    """An item without what it must have: left out and counted, 200."""


class LeftOut(StrEnum):
    """Parts of a genuine post that are about no sender here, cannot be read, or are more than the provider sends."""

    FOREIGN_OBJECT = "foreign_object"  # not about WhatsApp accounts at all
    FOREIGN_ACCOUNT = "foreign_account"  # another account of the same app, or the dashboard's Test button
    FOREIGN_NUMBER = "foreign_number"  # a number of our account that no sender of this secret uses
    UNREADABLE = "unreadable"
    BEYOND_LIMIT = "beyond_limit"


Counts = Counter[LeftOut]
