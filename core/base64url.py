"""base64url without padding (RFC 4648 5, RFC 7515 2), as tokens and ids have it. Every login makes several, and the
standard library's own functions are two to four calls each."""

from binascii import a2b_base64, b2a_base64

_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")


def decode(text: str) -> bytes:
    """Of characters of this alphabet, which the caller has checked."""
    return a2b_base64(text.encode().translate(_FROM_URL) + b"=" * (-len(text) % 4))
