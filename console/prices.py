"""The price table in the admin, and prices pasted as CSV."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from audit.kinds import Kind
from audit.record import Target, record
from console.base import ConsoleAdmin
from stats import prices
from stats.models import Price


@admin.register(Price)
class PriceAdmin(ConsoleAdmin):
    project_path = None
    list_display = ("provider", "country", "category", "amount", "currency", "valid_from")
    list_filter = ("provider", "currency")
    search_fields = ("country", "category")
    list_before_template = "admin/stats/paste_prices.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {"may_paste": self._may_paste(request), "columns": ", ".join(prices.COLUMNS)}
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), **more})
        return page

    def get_urls(self) -> list[URLPattern]:
        own = path("paste/", self.admin_site.admin_view(require_POST(self.paste)), name="stats_price_paste")
        return [own, *super().get_urls()]

    def paste(self, request: HttpRequest) -> HttpResponse:
        """All lines, or what is wrong with them and none."""
        if not self._may_paste(request):
            raise PermissionDenied
        try:
            with transaction.atomic():
                count = prices.paste(request.POST.get("prices", ""))
                target = Target(type=Price._meta.label_lower, id="")
                record(Kind.ACTED, target, detail=f"{count} prices pasted")
        except ValidationError as error:
            for problem in error.messages:
                self.message_user(request, problem, messages.ERROR)
        else:
            self.message_user(request, _("%(count)d prices are stored.") % {"count": count}, messages.SUCCESS)
        return redirect("admin:stats_price_changelist")

    def _may_paste(self, request: HttpRequest) -> bool:
        """It replaces amounts as well."""
        return self.may(request, "add") and self.may(request, "change")
