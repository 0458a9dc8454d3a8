"""Limits of request bodies by path: size, time, and the signature header without which one is not read. Pure."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

KIB = 1024


@dataclass(frozen=True, kw_only=True)
class BodyRule:
    """`limit`: bytes. `seconds`: from the headers to the last byte. `signature`: a header and its format, without which
    the body is not read (401). `webhook`: the label under which requests are counted (metrics.WEBHOOKS)."""

    limit: int
    seconds: float = 10.0
    signature: tuple[str, re.Pattern[str]] | None = None
    webhook: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A response in place of the application's. The connection is closed, because the body was not read."""

    status: int
    body: bytes
    content_type: str

    @property
    def headers(self) -> list[tuple[str, str]]:
        headers = [
            ("content-type", self.content_type),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ]
        return [*headers, ("retry-after", "1")] if self.status == HTTPStatus.SERVICE_UNAVAILABLE else headers


DEFAULT = BodyRule(limit=64 * KIB)


@cache
def rules() -> tuple[tuple[str, BodyRule], ...]:
    """The first prefix that fits decides."""
    from webhooks.registry import WEBHOOKS  # late: the server starts before the application is loaded

    reports = tuple(
        (path, BodyRule(limit=item.limit, signature=(item.header.lower(), item.signature), webhook=item.name))
        for path, item in WEBHOOKS.items()
    )
    return (*reports, ("/admin/", BodyRule(limit=KIB * KIB, seconds=30.0)))


def rule_for(path: str) -> BodyRule:
    """The rule for a path as the application sees it (percent-decoded)."""
    return next((rule for prefix, rule in rules() if path.startswith(prefix)), DEFAULT)


def refusal_before_reading(
    rule: BodyRule, *, path: str, declared: str | None, header: Callable[[str], str | None]
) -> Refusal | None:
    """The refusal of a body that is not read at all, or None. `declared` is Content-Length, `header` reads a header."""
    if rule.signature and not rule.signature[1].fullmatch(header(rule.signature[0]) or ""):
        return refusal(HTTPStatus.UNAUTHORIZED, path)
    if declared is not None and int(declared) > rule.limit:
        return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, path)
    return None


# Under /api/ every error is a problem document with a code of the contract (api.errors).
_CODES = {HTTPStatus.SERVICE_UNAVAILABLE: "unavailable"}


def refusal(status: HTTPStatus, path: str) -> Refusal:
    """The refusal of a body, in the format of the path."""
    if path.startswith("/api/"):
        code = _CODES.get(status, "invalid_request")
        problem = {
            "type": f"urn:authsvc:problem:{code}",
            "title": status.phrase,
            "status": int(status),
            "code": code,
        }
        return Refusal(
            status=status, body=json.dumps(problem).encode(), content_type="application/problem+json"
        )
    return Refusal(
        status=status, body=f"{status.phrase}\n".encode(), content_type="text/plain; charset=utf-8"
    )
