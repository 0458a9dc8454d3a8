"""The delivery log: what happened to each challenge, without its code and without the whole number."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from channels.types import Status
from console import timeline
from console.base import ReadOnlyAdmin
from otp.models import Challenge, Delivery
from otp.types import Cause, State
from users.phones import InvalidPhone, mask, read


class OutcomeFilter(admin.SimpleListFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401 # Django's signature
        return [
            ("verified", str(_("verified"))),
            ("open", str(_("open"))),
            ("given_up", str(_("not verified"))),
        ]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Challenge]) -> QuerySet[Challenge]:
        now = timezone.now()
        if self.value() == "verified":
            return queryset.filter(verified_at__isnull=False)
        if self.value() == "open":
            return queryset.filter(verified_at=None, ended_at=None, expires_at__gt=now)
        if self.value() == "given_up":
            return queryset.filter(verified_at=None).exclude(ended_at=None, expires_at__gt=now)
        return queryset


class FellBackFilter(admin.SimpleListFilter):
    title = _("fallback")
    parameter_name = "fallback"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:  # noqa: ANN401 # Django's signature
        return [("yes", str(_("fell back to SMS")))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Challenge]) -> QuerySet[Challenge]:
        return queryset.filter(deliveries__cause=Cause.FALLBACK.value) if self.value() else queryset


@admin.register(Challenge)
class ChallengeAdmin(ReadOnlyAdmin):
    """Newest first, a constant number of queries."""

    list_display = ("phone_masked", "project", "outcome", "messages", "attempts", "is_test", "created_at")
    list_display_links = ("phone_masked",)
    list_filter = (OutcomeFilter, FellBackFilter, "project", "is_test", "created_at")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("id",)
    search_help_text = _("A whole phone number in any form, or the id of a challenge")
    change_form_template = "admin/otp/challenge.html"
    fields = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Challenge]:
        rows: QuerySet[Challenge] = super().get_queryset(request)
        return rows.select_related("project").prefetch_related(
            Prefetch("deliveries", Delivery.objects.order_by("id"))
        )

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Challenge], search_term: str
    ) -> tuple[QuerySet[Challenge], bool]:
        """Exact: part of a number would match other people."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(id=uuid.UUID(term)), False
        except ValueError:
            pass
        try:
            return queryset.filter(phone=read(term).e164), False
        except InvalidPhone:
            return queryset.none(), False

    @admin.display(description=_("number"))
    def phone_masked(self, challenge: Challenge) -> str:
        return mask(challenge.phone)

    @display(  # type: ignore[untyped-decorator] # unfold is not annotated
        description=_("outcome"),
        label={
            State.VERIFIED: "success",
            State.PENDING: "info",
            State.LOCKED: "danger",
            State.EXPIRED: "warning",
        },
    )
    def outcome(self, challenge: Challenge) -> str:
        return challenge.state(timezone.now())

    @admin.display(description=_("messages"))
    def messages(self, challenge: Challenge) -> str:
        return " → ".join(f"{item.channel} {Status(item.status).word}" for item in challenge.deliveries.all())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 # Django's type
        challenge = self.get_object(request, object_id)
        context = {**(extra_context or {}), "title": _("Challenge")}
        if challenge:
            context["subtitle"] = mask(challenge.phone)
            context["summary"] = timeline.summary(challenge, now=timezone.now())
            context["timeline"] = timeline.steps(challenge)
        return super().change_view(request, object_id, form_url, context)
