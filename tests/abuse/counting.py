"""How often something is allowed."""

from collections.abc import Sequence

from abuse import limiter
from abuse.errors import RateLimited
from abuse.limiter import Charge


def times(items: Sequence[Charge], most: int = 100) -> int:
    """How often they can be charged."""
    for count in range(most):
        try:
            limiter.charge(items)
        except RateLimited:
            return count
    return most
