"""Why a report is not taken.

Malformed    it is not what the provider sends: 400
Untrusted    it is not signed by every account that it names: 401
Unreadable   it is genuine, but lacks what we need: left out and counted, 200
"""


class Malformed(Exception):
    """Not a report of the provider."""


class Untrusted(Exception):
    """Not signed, or not by every account that it names. `why` is a word for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Unreadable(Exception):
    """An item without what it must have."""
