"""One-time codes: derived and never stored (RFC 4226 over a key of one challenge alone), and read. Pure."""

import hmac
import re
import uuid
from collections.abc import Mapping

from users import characters

# Every send of a challenge carries the same code, so the counter has nothing to count.
_COUNTER = 0
LENGTHS = range(6, 11)
LONGEST_INPUT = 1000  # a whole message may be pasted
# In a text reduced to digits, "a" for letters that make words with them, " " and "-" for what may part the digits of
# one group, and "." for the rest: each run of digits, and runs that single spaces or dashes join.
_RUN = re.compile(r"(?<![a0-9])[0-9]+(?![a0-9])")
_JOINED = re.compile(r"(?<![a0-9])[0-9]+(?:[ -][0-9]+)+(?![a0-9])")


class UnknownKey(Exception):
    """The key that made a code is no longer configured: its challenges cannot be answered any more."""


def derive(*, challenge_id: uuid.UUID, key_id: str, length: int, keys: Mapping[str, bytes]) -> str:
    """The code of a challenge: `length` digits, leading zeros included. Raises UnknownKey."""
    key = keys.get(key_id)
    if key is None:
        raise UnknownKey(key_id)
    return hotp(hmac.digest(key, challenge_id.bytes, "sha256"), counter=_COUNTER, length=length)


def hotp(secret: bytes, *, counter: int, length: int) -> str:
    """RFC 4226, 5.3: `length` digits, cut from an HMAC-SHA-1 of the counter."""
    digest = hmac.digest(secret, counter.to_bytes(8), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**length:0{length}d}"


def matching_keys(*, code: str, challenge_id: uuid.UUID, keys: Mapping[str, bytes]) -> list[str]:
    """The ids of the keys under which `code` would be this challenge's code; compared in constant time."""
    return [
        key_id
        for key_id in keys
        if hmac.compare_digest(
            derive(challenge_id=challenge_id, key_id=key_id, length=len(code), keys=keys), code
        )
    ]


def typed(text: str) -> str:
    """The digits of a code in ASCII, when the text is nothing but digits of any script, spaces and dashes; else ""."""
    if text.isascii() and text.isdigit() and len(text) <= LONGEST_INPUT:
        return text
    reduced = _reduced(text)
    return reduced.replace(" ", "").replace("-", "") if not reduced.strip("0123456789 -") else ""


def in_message(text: str, length: int) -> str:
    """The code in a pasted message: the one group of `length` digits in it; "" when there is none, or another one."""
    reduced = _reduced(text)
    groups = [*_RUN.findall(reduced), *(re.sub("[ -]", "", group) for group in _JOINED.findall(reduced))]
    codes = {group for group in groups if len(group) == length}
    return codes.pop() if len(codes) == 1 else ""


def _reduced(text: str) -> str:
    """ "" for what is longer than any message."""
    if len(text) > LONGEST_INPUT:
        return ""
    return "".join(_kind(character) for character in text if not characters.is_invisible(character))


def _kind(character: str) -> str:
    digit = characters.digit(character)
    if digit:
        return digit
    if characters.is_space(character):
        return " "
    if characters.is_dash(character):
        return "-"
    # Scripts without capitals (Chinese, Arabic, Thai …) write numbers without a space before or behind them.
    return "a" if character == "_" or character.lower() != character.upper() else "."
