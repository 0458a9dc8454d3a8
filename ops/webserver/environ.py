"""A granian request as a WSGI environ (PEP 3333), and the response of the application."""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

type StartResponse = Callable[..., None]
type Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Headers(Protocol):
    """granian's RSGIHeaders: names in lower case, each value of a repeated one by itself."""

    def items(self) -> list[tuple[str, str]]: ...
    def get(self, name: str, default: str | None = None) -> str | None: ...
    def get_all(self, name: str) -> list[str]: ...
    def __contains__(self, name: str) -> bool: ...


class Scope(Protocol):
    """granian's RSGIHTTPScope, as far as it is used here."""

    @property
    def http_version(self) -> str: ...
    @property
    def server(self) -> str: ...  # address:port
    @property
    def client(self) -> str: ...  # address:port
    @property
    def scheme(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...  # percent-decoded
    @property
    def query_string(self) -> str: ...
    @property
    def authority(self) -> str | None: ...
    @property
    def headers(self) -> Headers: ...


class Exchange(Protocol):
    """granian's RSGIHTTPProtocol: accepts one response, from any thread."""

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...
    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> Any: ...  # noqa: ANN401 # granian's


_CONSTANT = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "granian",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
# Header name → key of the environ. Clients choose the names, so the cache is bounded.
_KEYS: dict[str, str] = {"content-type": "CONTENT_TYPE"}
_MOST_KEYS = 500


def _key(name: str) -> str:
    key = _KEYS.get(name)
    if key is None:
        key = "HTTP_" + name.upper().replace("-", "_")
        if len(_KEYS) < _MOST_KEYS:
            _KEYS[name] = key
    return key


def build_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The environ of a request whose body was received.

    Headers with an underscore in their name are dropped: in CGI `X_Forwarded_For` and `X-Forwarded-For` are the same
    key, but the trusted proxy only overwrites the second. Content-Length and Transfer-Encoding are replaced by the
    length of the body.
    """
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        **_CONSTANT,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "CONTENT_LENGTH": str(len(body)) if body else "",
    }
    for name, value in scope.headers.items():
        if "_" in name or name in ("content-length", "transfer-encoding"):
            continue
        key = _key(name)
        if key in environ:
            environ[key] += ("; " if key == "HTTP_COOKIE" else ",") + value
        else:
            environ[key] = value
    if scope.authority:  # an absolute request line outranks Host (RFC 9112 3.2.2)
        environ["HTTP_HOST"] = scope.authority
    return environ


def answer(application: Application, scope: Scope, body: bytes, exchange: Exchange) -> None:
    """Call the application and pass its response to granian. Raises what the application raises."""
    status, headers = 500, []

    def start_response(line: str, fields: list[tuple[str, str]], _error: object = None) -> None:
        nonlocal status, headers
        status, headers = int(line[:3]), fields

    chunks = application(build_environ(scope, body), start_response)
    try:
        if getattr(chunks, "streaming", False):
            stream = exchange.response_stream(status, headers)
            for chunk in chunks:
                stream.send_bytes(chunk)
        else:
            exchange.response_bytes(status, headers, b"".join(chunks))
    finally:
        close = getattr(chunks, "close", None)  # Django ends the request there
        if close:
            close()
