"""What a question about statistics is about: days, and projects. Pure but for reading parameters."""

import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q

# Of one question. Longer ones are asked in parts.
MOST_DAYS = 400
DEFAULT_DAYS = 30
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadSpan(ValueError):
    """Says which parameter is wrong, and why."""

    def __init__(self, parameter: str, reason: str) -> None:
        super().__init__(f"{parameter}: {reason}")
        self.parameter, self.reason = parameter, reason


@dataclass(frozen=True, kw_only=True)
class Span:
    """Whole days in UTC, both included. `project_ids` None: all projects."""

    first: date
    last: date
    project_ids: frozenset[uuid.UUID] | None = None

    def rows(self) -> Q:
        """The rollups of it."""
        start = datetime.combine(self.first, datetime.min.time(), UTC)
        end = datetime.combine(self.last, datetime.min.time(), UTC) + timedelta(days=1)
        rows = Q(hour__gte=start, hour__lt=end)
        return rows if self.project_ids is None else rows & Q(project_id__in=self.project_ids)


def read(parameters: Mapping[str, Any], *, today: date, allowed: Collection[uuid.UUID] | None = None) -> Span:
    """From `from`, `to` (days, ISO 8601) and `project` (an id): the last 30 days of all projects where they are not
    given. `allowed`: the projects that may be seen; None: all. Raises BadSpan."""
    last = _day(parameters, "to") or today
    first = _day(parameters, "from") or last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise BadSpan("from", "must not be later than `to`")
    if (last - first).days >= MOST_DAYS:
        raise BadSpan("from", f"at most {MOST_DAYS} days at a time")
    return Span(first=first, last=last, project_ids=_projects(parameters, allowed))


def _day(parameters: Mapping[str, Any], name: str) -> date | None:
    text = str(parameters.get(name) or "")
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None  # it takes weeks as well
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2999:
        raise BadSpan(name, "must be a day such as 2026-11-30")
    return day


def _projects(
    parameters: Mapping[str, Any], allowed: Collection[uuid.UUID] | None
) -> frozenset[uuid.UUID] | None:
    text = str(parameters.get("project") or "")
    if not text:
        return None if allowed is None else frozenset(allowed)
    try:
        project_id = uuid.UUID(text)
    except ValueError:
        raise BadSpan("project", "must be the id of a project") from None
    if allowed is not None and project_id not in allowed:
        raise BadSpan("project", "no such project")
    return frozenset({project_id})
