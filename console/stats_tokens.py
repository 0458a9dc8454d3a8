"""Tokens for GET /api/v1/stats in the admin: shown once when they are made, revoked by an action."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from console.base import ConsoleAdmin
from stats import tokens
from stats.models import StatsToken


@admin.register(StatsToken)
class StatsTokenAdmin(ConsoleAdmin):
    list_display = ("name", "project", "state", "created_at", "last_used_at")
    list_select_related = ("project",)
    list_filter = ("project",)
    search_fields = ("name",)
    fields = ("name", "project")
    actions: ClassVar = ["revoke"]

    def get_readonly_fields(self, _request: HttpRequest, obj: StatsToken | None = None) -> tuple[str, ...]:
        """What a token may read does not change."""
        return ("project",) if obj else ()

    @admin.display(description=_("state"))
    def state(self, token: StatsToken) -> str:
        return str(_("revoked") if token.revoked_at else _("valid"))

    def save_model(self, request: HttpRequest, obj: StatsToken, _form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        if change:
            obj.save(update_fields=["name"])
            return
        text = _("Token %(name)s, shown only once: %(token)s")
        shown = {"name": obj.name, "token": tokens.issue(obj)}
        self.message_user(request, text % shown, messages.WARNING)

    @admin.action(description=_("Revoke: it reads nothing any more"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[StatsToken]) -> None:
        for token in queryset:
            if tokens.revoke(token):
                self.log_change(request, token, [{"changed": {"fields": ["revoked"]}}])
                self.message_user(request, _("%(name)s is revoked.") % {"name": token.name})
