"""The index of the admin: logins, messages, times, causes and cost of some days and projects; each figure as CSV."""

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels.providers import PROVIDERS
from channels.senders import senders
from channels.types import Channel
from console import setup_facts
from console.scoping import projects_with
from projects.config import projects
from stats import report, span
from stats.models import TimingRollup
from stats.report import FIGURES, Report
from stats.span import BadSpan, Span

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PERMISSION = "stats.view_loginrollup"

_COLOURS = ("#0d9488", "#9ca3af")
# What a cell without a word of its own shows.
_NONE = "—"
_CHANNELS: Mapping[str, "StrOrPromise"] = {
    Channel.WHATSAPP.value: gettext_lazy("WhatsApp"),
    Channel.SMS.value: gettext_lazy("SMS"),
}


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number at the top of the page."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure: its table, and what a chart of it draws (JSON for Chart.js; empty: no chart)."""

    name: str
    title: "StrOrPromise"
    headings: list[str]
    rows: list[list[str]]
    chart: str = ""
    kind: str = "bar"


def context(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK: the set-up list until somebody has logged in, then the figures."""
    if not setup_facts.is_in_use():
        return values | {"setup": setup_facts.setup_of(request, known=values.get("sender_alerts"))}
    if not request.user.has_perm(PERMISSION):
        return values
    allowed, today = allowed_projects(request), timezone.now().date()
    problem = ""
    try:
        asked = span.read(request.GET, today=today, allowed=allowed)
    except BadSpan as error:
        problem, asked = str(error), span.read({}, today=today, allowed=allowed)
    result = report.load(asked)
    return values | {
        "dashboard": True,
        "problem": problem,
        "span": asked,
        "projects": visible_projects(request),
        "chosen": "" if problem else request.GET.get("project", ""),
        "query": _query(asked, "" if problem else request.GET.get("project", "")),
        "tiles": list(tiles(result)),
        "panels": panels(result, _sender_words(values)),
        "unknown_prices": result.costs.unknown,
        "uncompared": result.costs.uncompared,
    }


def csv(request: HttpRequest, figure: str) -> HttpResponse:
    """One figure of the same days and projects as a file."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if figure not in FIGURES:
        raise Http404
    try:
        asked = span.read(request.GET, today=timezone.now().date(), allowed=allowed_projects(request))
    except BadSpan as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    name = f"{figure}-{asked.first}-{asked.last}.csv"
    return HttpResponse(
        report.as_csv(figure, report.load(asked)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def visible_projects(request: HttpRequest) -> list[tuple[uuid.UUID, str]]:
    """The open projects that this member of staff may choose, by name."""
    allowed = allowed_projects(request)
    rows = projects.get().by_id.values()
    chosen = ((item.id, item.name) for item in rows if allowed is None or item.id in allowed)
    return sorted(chosen, key=lambda pair: pair[1])


def allowed_projects(request: HttpRequest) -> Collection[uuid.UUID] | None:
    """Those whose figures this member of staff may see; None: all, archived ones as well."""
    return projects_with(request.user, PERMISSION)


def tiles(result: Report) -> Iterable[Tile]:
    conversion = report.share(result.verified, result.started)
    yield Tile(
        label=_("Logins"), value=_number(result.verified), note=_("of %s started") % _number(result.started)
    )
    yield Tile(label=_("Conversion"), value=_percent(conversion))
    rate = report.share(result.fell_back, result.started)
    yield Tile(label=_("With fallback"), value=_percent(rate), note=_number(result.fell_back))
    for measure, label in (
        (TimingRollup.Measure.DELIVERED, _("Arrived")),
        (TimingRollup.Measure.VERIFIED, _("Logged in")),
    ):
        lines = [
            line for line in result.times if line.measure == measure and line.channel == Channel.WHATSAPP
        ]
        if lines:
            busiest = max(lines, key=lambda line: line.count)
            note = _("95 %% within %s s, WhatsApp") % _number(busiest.p95)
            yield Tile(label=label, value=_("%s s") % _number(busiest.p50), note=note)
    for currency, amount, _count, each, saved in FIGURES["totals"].rows(result):
        yield Tile(
            label=_("Cost"),
            value=_amount(amount, currency),
            note=_("%s for each login") % _amount(each, currency),
        )
        if saved is not None:
            yield Tile(label=_("Saved against SMS"), value=_amount(saved, currency))


def panels(result: Report, names: Mapping[uuid.UUID, str]) -> list[Panel]:
    charts = {
        "logins": _logins_chart(result),
        "times": _times_chart(result),
        "fallbacks": _reasons_chart(result),
    }
    return [
        Panel(
            name=name,
            title=figure.title,
            headings=[str(heading) for heading in figure.columns.values()],
            rows=[
                [_cell(column, value, names) for column, value in zip(figure.columns, row, strict=True)]
                for row in figure.rows(result)
            ],
            chart=charts.get(name, ""),
            kind="line" if name == "logins" else "bar",
        )
        for name, figure in FIGURES.items()
    ]


# Cells and charts -------------------------------------------------------------------------------------


def _cell(column: str, value: report.Value, names: Mapping[uuid.UUID, str]) -> str:
    if isinstance(value, uuid.UUID):
        return names.get(value) or _("switched off or deleted")
    if value is None:
        return _NONE
    if write := _WRITERS.get(column):
        return write(value)
    return _number(value) if isinstance(value, int | float | Decimal) else str(value) or _NONE


def _provider(value: object) -> str:
    provider = PROVIDERS.get(str(value))
    return str(provider.label) if provider else str(value) or _NONE


def _number(value: float | Decimal | None) -> str:
    if isinstance(value, Decimal):
        value = Decimal(f"{value.normalize():f}")  # 0.0592, not 0.059200
    return _NONE if value is None else number_format(value, use_l10n=True, force_grouping=True)


def _percent(value: object) -> str:
    return _("%s %%") % number_format(round(value * 100, 1)) if isinstance(value, float | int) else _NONE


# How the values of some columns are written.
_WRITERS: Mapping[str, Callable[[object], str]] = {
    "international": lambda value: _("international") if value else "",
    "conversion": _percent,
    "share": _percent,
    "delivered_share": _percent,
    "reason": lambda value: str(value).replace("_", " ") or _("it arrived after all"),
    "channel": lambda value: str(_CHANNELS.get(str(value), value)),
    "measure": lambda value: str(TimingRollup.Measure(str(value)).label),
    "provider": _provider,
}


def _amount(value: object, currency: object) -> str:
    """Two digits where they say enough, else those that are there."""
    if not isinstance(value, Decimal):
        return _NONE
    digits = 2 if abs(value) >= 1 or not value else 4
    return f"{number_format(value, digits, force_grouping=True)} {currency}"


def _logins_chart(result: Report) -> str:
    """Every day of the span, also those without a login."""
    if not result.logins:
        return ""
    days = [
        result.span.first + timedelta(days=nth)
        for nth in range((result.span.last - result.span.first).days + 1)
    ]
    by_day = {line.day: line for line in result.logins}
    lines = [by_day.get(day) for day in days]
    return _chart(
        [day.isoformat() for day in days],
        {
            _("succeeded"): [line.verified if line else 0 for line in lines],
            _("started"): [line.started if line else 0 for line in lines],
        },
    )


def _times_chart(result: Report) -> str:
    if not result.times:
        return ""
    labels = [
        f"{_cell('channel', line.channel, {})} · {_cell('measure', line.measure, {})}"
        for line in result.times
    ]
    return _chart(
        labels,
        {
            _("half within (s)"): [line.p50 for line in result.times],
            _("95 %% within (s)") % (): [line.p95 for line in result.times],
        },
    )


def _reasons_chart(result: Report) -> str:
    lines = result.reasons.fallbacks
    if not lines:
        return ""
    labels = [_cell("reason", line.reason, {}) for line in lines]
    return _chart(labels, {_("fallbacks"): [line.count for line in lines]})


def _chart(labels: list[str], series: Mapping[str, list[Any]]) -> str:
    sets = [
        {
            "label": name,
            "data": values,
            "backgroundColor": colour,
            "borderColor": colour,
            "maxTicksXLimit": 10,
        }
        for (name, values), colour in zip(series.items(), _COLOURS, strict=False)
    ]
    return json.dumps({"labels": labels, "datasets": sets})


def _sender_words(values: Mapping[str, Any]) -> dict[uuid.UUID, str]:
    """Each active sender with its state, from memory. `sender_alerts` is there for staff who may see senders."""
    trouble = {alert.sender_id: str(alert.problem) for alert in values.get("sender_alerts", ())}
    names = projects.get().by_id
    words = {}
    for sender in senders.get().by_id.values():
        project = names.get(sender.project_id) if sender.project_id else None
        owner = project.name if project else _("Shared")
        state = trouble.get(sender.id) or _("works")
        words[sender.id] = f"{owner} · {_provider(sender.provider)}: {state}"
    return words


def _query(asked: Span, chosen: str) -> str:
    """The same question for the links to CSV. All three are ids and days that were read."""
    return f"from={asked.first}&to={asked.last}" + (f"&project={chosen}" if chosen else "")
