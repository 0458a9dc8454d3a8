"""What stands in the place of an erased number: random, so that nothing leads back to it."""

import secrets

# No number and no part of one begins like this. With nine digits it fits the columns of numbers.
PREFIX = "erased-"


def new() -> str:
    return PREFIX + secrets.token_hex(5)[:9]


def is_pseudonym(text: str) -> bool:
    return text.startswith(PREFIX)
