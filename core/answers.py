"""Reads what a server answers to one request. Whatever two readers would not read alike is unreadable.

`http.client` reads bodies. Headers it hands to the parser of e-mail, whose time grows with the square of a header's
length: seconds without a read, which no deadline ends, and whoever may set an address for events may send them. So
headers are read here.
"""

import re
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, NamedTuple, cast

from core.connections import Connection

if TYPE_CHECKING:
    from io import BufferedReader
    from socket import socket

_HEAD_BYTES = 64 * 1024
_READ_AT_ONCE = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: .*)?")
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_LENGTH = re.compile(rb"[0-9]{1,15}")


class Unreadable(HTTPException):
    """What came is no answer."""


class Read(NamedTuple):
    """An answer, and whether the connection may be used again: both sides know where it ended, and it did."""

    status: int
    date: str
    body: bytes
    is_over: bool


class _Head(NamedTuple):
    """`fields`: names in lower case, each with all that was said of it."""

    minor: int
    status: int
    fields: dict[bytes, list[bytes]]


def read(connection: Connection, most: int) -> Read:
    """The final answer, with at most `most` bytes of its body.

    Raises OSError and HTTPException when its headers do not come. Later the status is known and says most: a body
    that breaks off is as good as one that is not JSON.
    """
    reader = connection.makefile("rb")
    head = _head(reader)
    # Interim answers, however many: RFC 9110, 15.2.
    while head.status < HTTPStatus.OK and head.status != HTTPStatus.SWITCHING_PROTOCOLS:
        head = _head(reader)
    is_chunked, length = _framing(head)
    body, is_whole = _body(connection, is_chunked, length, most)
    is_clear = not (is_chunked and b"content-length" in head.fields)
    is_over = is_whole and is_clear and head.status >= HTTPStatus.OK and not _closes(head)
    date = b" ".join(head.fields.get(b"date", [])).decode("latin-1")
    return Read(head.status, date, body, is_over)


def _head(reader: "BufferedReader") -> _Head:
    first, *lines = _lines(reader)
    status = _STATUS.fullmatch(first)
    if not status:
        raise Unreadable
    fields: dict[bytes, list[bytes]] = {}
    values: list[bytes] = []
    for line in lines:
        if line[0] in b" \t" and values:  # the last one goes on: RFC 9112, 5.2
            values[-1] += b" " + line.strip(b" \t")
            continue
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise Unreadable
        values = fields.setdefault(name.lower(), [])
        values.append(value.strip(b" \t"))
    return _Head(int(status[1]), int(status[2]), fields)


def _lines(reader: "BufferedReader") -> list[bytes]:
    """Up to the empty line. One that is cut off, by the end or by the limit for all of them, makes them unreadable."""
    lines: list[bytes] = []
    left = _HEAD_BYTES
    while True:
        line = reader.readline(left)
        left -= len(line)
        text = line.removesuffix(b"\n").removesuffix(b"\r")
        if not line.endswith(b"\n") or b"\r" in text or b"\0" in text or not (text or lines):
            raise Unreadable
        if not text:
            return lines
        lines.append(text)


def _framing(head: _Head) -> tuple[bool, int | None]:
    """Whether the body comes in chunks, and its length; neither when it ends with the connection."""
    codings = [coding.lower() for coding in head.fields.get(b"transfer-encoding", [])]
    lengths = {part.strip() for value in head.fields.get(b"content-length", []) for part in value.split(b",")}
    if codings not in ([], [b"chunked"]) or len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise Unreadable
    if head.status < HTTPStatus.OK or head.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return False, 0
    if codings:
        return True, None
    return False, int(lengths.pop()) if lengths else None


def _closes(head: _Head) -> bool:
    return head.minor == 0 or any(b"close" in value.lower() for value in head.fields.get(b"connection", []))


def _body(connection: Connection, is_chunked: bool, length: int | None, most: int) -> tuple[bytes, bool]:
    """At most `most` bytes, and whether that is all and was said to be all."""
    if length == 0:
        return b"", True
    response = HTTPResponse(cast("socket", connection))
    response.chunked, response.chunk_left, response.length = is_chunked, None, length
    body = bytearray()
    try:
        while len(body) <= most and (chunk := response.read1(_READ_AT_ONCE)):
            body += chunk
    except (OSError, HTTPException):
        return bytes(body[:most]), False
    is_framed = is_chunked or length is not None
    return bytes(body[:most]), is_framed and response.isclosed() and not response.length
