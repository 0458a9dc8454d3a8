"""Numbers in the admin: what staff type in a search, and the button that shows one whole number once."""

import time
from collections.abc import Collection
from typing import Any

import structlog
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from console.base import ConsoleAdmin
from console.scoping import may_in
from projects.config import projects
from users import pseudonyms
from users.phones import InvalidPhone, formatted, read

log = structlog.get_logger(__name__)

REVEAL = "users.reveal_phone"
# Countries of a project that stand for a number typed without one. A project for the whole world names none.
_MOST_COUNTRIES = 20
_SESSION_KEY = "revealed_number"
_SHOWN_WITHIN_SECONDS = 60


def readings(term: str) -> set[str]:
    """Every number, in E.164, that the text can mean: as it is, and as it is dialled in the countries of projects."""
    numbers: set[str] = set()
    for country in (None, *hints()):
        try:
            numbers.add(read(term, country=country).e164)
        except InvalidPhone:
            continue
    return numbers


def hints() -> list[str]:
    """The countries in which a number without one is read: those of the open projects, where they are few."""
    codes: set[str] = set()
    for project in projects.get().by_id.values():
        allowed: Collection[str] = project.countries_allowed or ()
        named = allowed if 0 < len(allowed) <= _MOST_COUNTRIES else project.countries_pinned
        codes.update(code for code in named if len(code) == 2)
    return sorted(codes)


class RevealingAdmin(ConsoleAdmin):
    """A page of one row with a masked number, and a button to see it once.

    Who asked when is in the row's history. The session keeps the key of the row for the next page, never the number.
    """

    def number_of(self, row: Any) -> str:  # noqa: ANN401 # a row of the admin's model
        """The row's number in E.164; "" when it has none."""
        phone = row.phone or ""
        return "" if pseudonyms.is_pseudonym(phone) else str(phone)

    def may_reveal(self, request: HttpRequest, row: Any) -> bool:  # noqa: ANN401 # a row of the admin's model
        return may_in(request.user, REVEAL, row.project_id) and bool(self.number_of(row))

    def get_urls(self) -> list[URLPattern]:
        reveal = self.admin_site.admin_view(require_POST(self.reveal))
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        return [path("<path:object_id>/reveal/", reveal, name=name), *super().get_urls()]

    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Model | None = self.get_object(request, unquote(object_id))
        if not request.user.has_perm(REVEAL) or not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None or not self.number_of(row):
            raise Http404
        if not self.may_reveal(request, row):
            raise PermissionDenied
        self.log_each(request, [row], "number revealed")
        log.info("staff.number_revealed", staff_id=str(request.user.pk), row=self._label(row))
        request.session[_SESSION_KEY] = [self._label(row), time.time()]
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", quote(str(row.pk)))

    def revealed(self, request: HttpRequest, row: Any) -> str:  # noqa: ANN401 # a row of the admin's model
        """The whole number on the page that follows the button, "" on every other one: a reload hides it."""
        if request.method != "GET" or _SESSION_KEY not in request.session:
            return ""
        label, at = request.session.pop(_SESSION_KEY)
        fresh = 0 <= time.time() - at < _SHOWN_WITHIN_SECONDS
        return formatted(self.number_of(row)) if fresh and label == self._label(row) else ""

    def _label(self, row: Model) -> str:
        return f"{self.opts.label_lower} {row.pk}"
