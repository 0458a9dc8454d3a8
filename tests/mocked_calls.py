"""respx for `core.http`: its routes answer the bytes that the client would have written to a server.

Everything up to those bytes is the client's own: the judgement of the URL, the headers, what is asked for. Calls of
httpx, which the doctor and the demo make, are answered as well.
"""

from typing import Any

import httpx
import respx.mocks

from core import http
from core.connections import Origin
from core.errors import CallFailed, CallProblem

NAME = "core.http"
_PLAIN: Any = respx.mocks.HTTPCoreMocker  # not annotated


class Mocker(_PLAIN):  # type: ignore[misc]
    """See respx.mocks.Mocker, whose subclasses are known by their names."""

    name = NAME
    targets = [*_PLAIN.targets, "core.http.HttpClient"]
    target_methods = [*_PLAIN.target_methods, "exchange"]

    @classmethod
    def prepare_sync_request(cls, httpx_request: httpx.Request, **kwargs: Any) -> Any:
        if "origin" not in kwargs:
            return super().prepare_sync_request(httpx_request, **kwargs)
        return httpx_request, kwargs

    @classmethod
    def to_httpx_request(cls, **kwargs: Any) -> Any:
        if "origin" not in kwargs:
            return super().to_httpx_request(**kwargs)
        return _read(kwargs["origin"], kwargs["request"])

    @classmethod
    def from_sync_httpx_response(cls, httpx_response: httpx.Response, target: Any, **kwargs: Any) -> Any:
        if "origin" not in kwargs:
            return super().from_sync_httpx_response(httpx_response, target, **kwargs)
        body, date = httpx_response.content, httpx_response.headers.get("Date", "")
        most = target._limits.answer_bytes
        return http.Answer(status=httpx_response.status_code, body=body[:most], date=date)

    @classmethod
    def _send_sync_request(cls, httpx_request: httpx.Request, **kwargs: Any) -> Any:
        if "origin" not in kwargs:
            return super()._send_sync_request(httpx_request, **kwargs)
        try:
            return super()._send_sync_request(httpx_request, **kwargs)
        except httpx.TransportError as error:
            raise _failure(error) from error


def _read(origin: Origin, request: bytes) -> httpx.Request:
    head, _, content = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    method, target, version = first.split(" ")
    assert version == "HTTP/1.1"
    headers = [tuple(line.split(": ", 1)) for line in lines]
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    url = f"{origin.scheme}://{host}:{origin.port}{target}"
    return httpx.Request(method, url, headers=headers, content=content)  # type: ignore[arg-type] # pairs


def _failure(error: httpx.TransportError) -> Exception:
    """What the client raises where httpx would have raised `error`."""
    name = type(error).__name__
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return CallFailed(CallProblem.UNREACHABLE, detail=name)
    if isinstance(error, httpx.LocalProtocolError):
        return CallFailed(CallProblem.UNUSABLE, detail=name)
    return http.AnswerLost(name)
