"""Phone numbers that no one can have: reserved for fiction by the North American Numbering Plan (555-0100 to 555-0199).

Whoever logs in with one is nobody: such an account is a test account, by its number alone.
"""

import random
import re
from collections.abc import Collection

from django.db.models import Q

# One area code of them is enough: a project rehearses a handful of logins at a time.
_PREFIX = "+120255501"
_NUMBER = re.compile(r"\+120255501[0-9]{2}\Z")
NUMBERS = tuple(f"{_PREFIX}{last:02}" for last in range(100))


def is_fictional(e164: str) -> bool:
    return _NUMBER.match(e164) is not None


def rows(field: str = "phone") -> Q:
    """The condition on rows whose `field` holds such a number."""
    return Q(**{f"{field}__startswith": _PREFIX})


def choose(*, taken: Collection[str]) -> str:
    """One that is not taken; "" when all are."""
    free = [number for number in NUMBERS if number not in taken]
    return random.choice(free) if free else ""  # noqa: S311 # which one it is protects nothing
