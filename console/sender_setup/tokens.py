"""Tokens that people read to each other."""

import secrets

# Without letters and digits that look alike.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def readable_token() -> str:
    """24 letters and digits in groups of four: 118 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _nth in range(4)) for _group in range(6))
