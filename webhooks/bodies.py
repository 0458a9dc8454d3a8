"""A request's raw body: bounded, and not touched before it is asked for.

What is never read is left to the server, which closes the connection instead of taking it for the next request.
"""

from typing import Protocol, cast

from django.http import HttpRequest, UnreadablePostError


class TooLarge(Exception):
    """A body over the limit."""


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Body:
    """Raises TooLarge at once when the body announces more than `limit` bytes."""

    def __init__(self, request: HttpRequest, *, limit: int) -> None:
        self._request = request
        self._limit = limit
        try:
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            announced = 0
        if announced > limit:
            raise TooLarge

    def read(self) -> bytes:
        """All of it. Raises TooLarge, and UnreadablePostError when the caller went away."""
        stream, pieces, room = self._stream(), [], self._limit + 1
        try:
            while room and (piece := stream.read(room)):
                pieces.append(piece)
                room -= len(piece)
        except OSError as error:
            raise UnreadablePostError(*error.args) from error
        if not room:
            raise TooLarge
        return b"".join(pieces)

    def _stream(self) -> _Stream:
        """A chunked body announces no length, and Django takes it for an empty one: that of a server which marks its
        end by itself is read as it comes."""
        environ = self._request.META
        if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            return cast("_Stream", environ["wsgi.input"])
        return self._request
