"""The filters of the delivery log. Each is answered by an index, however many challenges there are."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from channels.models import ChannelChoice
from channels.types import FailureReason
from console.audit_rows import project_names
from console.reasons import REASONS
from core.ids import oldest_id_at
from login import countries
from otp.models import Challenge, Delivery
from otp.types import Cause
from projects.models import OTP_VALID_SECONDS

type Challenges = QuerySet[Challenge]
type Choice = tuple[str, str]

_EARLIEST, _LATEST = date(2020, 1, 1), date(2100, 1, 1)


class SelectFilter(admin.SimpleListFilter):
    """A list to choose from, in the form of all filters."""

    template = "admin/otp/select_filter.html"

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Django's, each with the value that the form posts."""
        values = ["", *(str(value) for value, _label in self.lookup_choices)]
        for value, choice in zip(values, super().choices(changelist), strict=True):
            yield {**choice, "value": value}

    def chosen(self) -> str:
        """One of the choices; "" for none and for anything that was made up."""
        value = str(self.value() or "")
        return value if value in {str(known) for known, _label in self.lookup_choices} else ""


class OutcomeFilter(SelectFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [
            ("verified", str(_("verified"))),
            ("open", str(_("open"))),
            ("given_up", str(_("not verified"))),
        ]

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        now = timezone.now()
        if self.value() == "verified":
            return queryset.filter(verified_at__isnull=False)
        if self.value() == "open":
            # Ids begin with their time: what may be open still is read by key.
            first = oldest_id_at(now - timedelta(seconds=OTP_VALID_SECONDS[1] + 60))
            return queryset.filter(id__gte=first, verified_at=None, **_open(now))
        if self.value() == "given_up":
            return queryset.filter(verified_at=None).exclude(**_open(now))
        return queryset


def _open(now: datetime) -> dict[str, Any]:
    """Of a challenge that a right code would end: after the last wrong one none is right."""
    return {"ended_at": None, "expires_at__gt": now, "attempts__lt": F("max_attempts")}


class ProjectFilter(SelectFilter):
    title = _("project")
    parameter_name = "project__id__exact"  # as links to the log have it

    def lookups(self, request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [(str(key), name) for key, name in project_names(request).items()]

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        return queryset.filter(project_id=self.chosen()) if self.chosen() else queryset


class TestNumberFilter(SelectFilter):
    __test__ = False  # not a pytest class

    title = _("test number")
    parameter_name = "is_test__exact"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [("0", str(_("no"))), ("1", str(_("yes")))]

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        return queryset.filter(is_test=self.chosen() == "1") if self.chosen() else queryset


class FellBackFilter(SelectFilter):
    title = _("fallback")
    parameter_name = "fallback"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [("yes", str(_("fell back to SMS")))]

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        return _with_message(queryset, cause=Cause.FALLBACK.value) if self.chosen() else queryset


class ChannelFilter(SelectFilter):
    title = _("channel")
    parameter_name = "channel"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [(str(value), str(label)) for value, label in ChannelChoice.choices]

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        return _with_message(queryset, channel=self.chosen()) if self.chosen() else queryset


class ReasonFilter(SelectFilter):
    """Together with a channel: a message of that channel failed for this reason."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [(reason.value, str(REASONS[reason])) for reason in FailureReason]

    def queryset(self, request: HttpRequest, queryset: Challenges) -> Challenges:
        if not self.chosen():
            return queryset
        channel = request.GET.get(ChannelFilter.parameter_name, "")
        more = {"channel": channel} if channel in ChannelChoice.values else {}
        return _with_message(queryset, reason=self.chosen(), **more)


def _with_message(queryset: Challenges, **values: str) -> Challenges:
    return queryset.filter(Exists(Delivery.objects.filter(challenge=OuterRef("pk"), **values)))


class CountryFilter(SelectFilter):
    """By calling code, which is how a number begins: +1 is North America."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        names: dict[str, list[str]] = {}
        for country in countries.choices(language=get_language() or "en", allowed=None, pinned=("US", "GB")):
            names.setdefault(country.calling_code, []).append(country.name)
        lines = [(code, f"{_names(several)} (+{code})") for code, several in names.items()]
        return sorted(lines, key=lambda line: line[1])

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        return queryset.filter(phone__startswith=f"+{self.chosen()}") if self.chosen() else queryset


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}, {names[1]}{' …' if len(names) > 2 else ''}"


class DateFilter(admin.SimpleListFilter):
    """A day in UTC, typed. Keys of challenges are in the order of time, so the key answers it."""

    template = "admin/otp/date_filter.html"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[Choice]:  # noqa: ANN401 # Django's signature
        return [("", "")]  # Django shows no filter without one

    def choices(self, _changelist: ChangeList) -> Iterator[Any]:
        yield {"value": self.value() or "", "selected": bool(self.value())}

    def day(self) -> date | None:
        """Raises what Django answers a wrong filter with."""
        if not self.value():
            return None
        try:
            day = date.fromisoformat(str(self.value()))
        except ValueError as error:
            raise IncorrectLookupParameters from error
        if not _EARLIEST <= day <= _LATEST:
            raise IncorrectLookupParameters
        return day


class FromFilter(DateFilter):
    title = _("first day (UTC)")
    parameter_name = "from"

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        day = self.day()
        return queryset.filter(id__gte=oldest_id_at(_midnight(day))) if day else queryset


class ToFilter(DateFilter):
    title = _("last day (UTC)")
    parameter_name = "to"

    def queryset(self, _request: HttpRequest, queryset: Challenges) -> Challenges:
        day = self.day()
        return queryset.filter(id__lt=oldest_id_at(_midnight(day + timedelta(days=1)))) if day else queryset


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
