"""GET /api/v1/stats: the figures of the dashboard for machines of staff, which have a token of their own."""

from django.http import HttpRequest
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from abuse import throttle
from api import schema
from api.calls import Call
from api.errors import Problem
from api.http import json_answer
from core.addresses import network_of
from core.plain_response import PlainResponse
from stats import report, span, tokens
from stats.report import FIGURES
from stats.span import BadSpan
from stats.tokens import Reader

_SCHEME = {"WWW-Authenticate": 'Bearer realm="stats"'}
_PARAMETERS = frozenset({"from", "to", "project"})


class Stats(Call):
    @schema.stats
    def get(self, request: HttpRequest) -> PlainResponse:
        """All figures of some days: the last 30 unless `from` and `to` say otherwise."""
        reader = _authenticate(request)
        if unknown := set(request.GET) - _PARAMETERS:
            raise Problem("invalid_request", invalid_params=dict.fromkeys(sorted(unknown)[:5], "unknown"))
        allowed = None if reader.project_id is None else [reader.project_id]
        try:
            asked = span.read(request.GET, today=timezone.now().date(), allowed=allowed)
        except BadSpan as error:
            raise Problem(
                "invalid_request", f"{error}.", invalid_params={error.parameter: error.reason}
            ) from None
        loaded = report.load(asked)
        project = next(iter(asked.project_ids), None) if asked.project_ids else None
        head = {"from": str(asked.first), "to": str(asked.last), "project": str(project) if project else None}
        return json_answer(head | {name: report.as_json(name, loaded) for name in FIGURES})


def _authenticate(request: HttpRequest) -> Reader:
    """Raises Problem, TooMany. Guessing is limited by address, reading by token."""
    throttle.charge(("stats.address", network_of(request.META.get("REMOTE_ADDR", ""))))
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    reader = tokens.read(text.strip()) if scheme.lower() == "bearer" else None
    if reader is None:
        raise Problem("invalid_token", headers=_SCHEME)
    throttle.charge(("stats.token", str(reader.token_id)))
    bind_contextvars(stats_token=str(reader.token_id))
    return reader
