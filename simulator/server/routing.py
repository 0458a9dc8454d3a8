"""The values between the HTTP server and the handlers: request, response, routes. No sockets here."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
_PARAMETER = re.compile(r"\{(\w+)(?::([^}]+))?\}")


class BadRequest(Exception):
    """The control API was asked for something it does not know; the text says what."""


class NotFound(Exception):
    """The control API was asked about something that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One parsed HTTP request; header names are lower case, `params` come from the route."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)

    def json_object(self) -> dict[str, object]:
        """The body as a JSON object. Raises BadRequest when it is anything else."""
        try:
            value = json.loads(self.body)
            if isinstance(value, str):  # a client that encodes twice; Meta accepts it
                value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise BadRequest("the body is not JSON") from error
        if not isinstance(value, dict):
            raise BadRequest("the body must be a JSON object")
        return value

    def json_object_or_empty(self) -> dict[str, object]:
        """For the record of a send, which is written even when the body is unreadable."""
        try:
            return self.json_object()
        except BadRequest:
            return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. `answered=False` closes the connection without a byte; `after` runs once the answer is out."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    answered: bool = True
    after: Callable[[], None] | None = None


type Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern; `{name}` stands for one path segment, `{name:regex}` for what the regex matches."""

    method: str
    pattern: str
    handler: Handler


class Router:
    """Picks the handler of a request; the first route that matches wins."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = [(route.method, _compiled(route.pattern), route.handler) for route in routes]

    def handle(self, request: Request) -> Response:
        allowed = set()
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if method == request.method:
                return handler(replace(request, params=match.groupdict()))
            allowed.add(method)
        if allowed:
            error = {"error": f"{request.method} is not allowed here"}
            return json_response(error, status=405, headers={"Allow": ", ".join(sorted(allowed))})
        return json_response({"error": "no such path"}, status=404)


def make_request(*, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    path, _, query = target.partition("?")
    if "://" in path:  # the absolute form, as a proxy is asked
        path = "/" + path.partition("://")[2].partition("/")[2]
    values = {name: texts[-1] for name, texts in parse_qs(query, keep_blank_values=True).items()}
    return Request(method=method, path=unquote(path), query=values, headers=headers, body=body)


def whole_number(text: str) -> int | None:
    """A number in plain digits; None for anything else, also for one that is too long to mean anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Compact and ASCII-escaped, so that half a surrogate pair in a text breaks nothing."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers=headers or {})


def html_response(text: str, *, status: int = 200) -> Response:
    return Response(status=status, body=text.encode(), content_type=HTML_TYPE)


def no_answer() -> Response:
    return Response(answered=False)


def first_half(response: Response) -> Response:
    """The answer cut in the middle, as from a proxy that gave up."""
    return replace(response, body=response.body[: len(response.body) // 2])


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub(lambda match: f"(?P<{match[1]}>{match[2] or '[^/]+'})", pattern))
