"""Authentication › Login methods."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from channels import code_life, validation
from channels.models import ChannelChoice
from console.base import ConsoleAdmin
from console.countries import names
from console.login_methods_form import LoginMethodsForm
from console.method_changes import changes
from projects.models import LoginMethods
from projects.routing import spelled
from projects.rules import ALL


@admin.register(LoginMethods)
class LoginMethodsAdmin(ConsoleAdmin):
    form = LoginMethodsForm
    list_display = ("project", "identifier", "authentication", "verify_phone_by", "fallback_enabled")
    list_select_related = ("project",)
    fieldsets: ClassVar = (
        (None, {"fields": ("project", ("identifier", "authentication"))}),
        (
            _("Verification and OTP"),
            {
                "classes": ["tab"],
                "fields": (
                    "verify_phone_by",
                    "fallback_enabled",
                    "fallback_wait_seconds",
                    ("otp_length", "otp_valid_seconds"),
                    ("resend_after_seconds", "max_attempts"),
                ),
            },
        ),
        (
            _("Countries"),
            {"classes": ["tab"], "fields": ("all_countries", "countries_allowed", "countries_pinned")},
        ),
        (_("Routing"), {"classes": ["tab"], "fields": ("routing",)}),
    )

    class Media:
        css: ClassVar = {"all": ["console/login_methods.css"]}
        js: ClassVar = ["console/login_methods.js", "console/countries.js", "console/routes.js"]

    def get_fieldsets(self, request: HttpRequest, obj: LoginMethods | None = None) -> Any:  # noqa: ANN401 # Django's signature
        """Who may only look reads names instead of the stored lists."""
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        main, otp, (countries, options), (routes, _options) = self.fieldsets
        shown = {**options, "fields": ("allowed", "first")}
        return [main, otp, (countries, shown), (routes, {"classes": ["tab"], "fields": ("routes",)})]

    @admin.display(description=_("Countries allowed"))
    def allowed(self, row: LoginMethods) -> str:
        codes = [code for code in row.countries_allowed if code != ALL]
        everywhere = [str(_("All countries"))] if ALL in row.countries_allowed else []
        return ", ".join([*everywhere, *([names(codes)] if codes else [])])

    @admin.display(description=_("Countries shown first"))
    def first(self, row: LoginMethods) -> str:
        return names(row.countries_pinned)

    @admin.display(description=_("Routing"))
    def routes(self, row: LoginMethods) -> str:
        return "; ".join(map(spelled, row.routing))

    def get_readonly_fields(self, _request: HttpRequest, obj: LoginMethods | None = None) -> tuple[str, ...]:
        return ("project",) if obj else ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With one project there is nothing to choose from."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request)
        ids = list(rows.values_list("pk", flat=True)[:2])
        if len(ids) > 1:
            self._warn_of_code_lives(request, rows.select_related("project"))
        if len(ids) == 1:
            return redirect(reverse("admin:projects_loginmethods_change", args=ids))
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        if kwargs.get("obj") and request.method == "GET":
            self._warn_of_code_lives(request, [kwargs["obj"]])
            self._warn_of_missing_senders(request, kwargs["obj"])
        page: HttpResponse = super().render_change_form(request, *args, **kwargs)
        return page

    def _warn_of_code_lives(self, request: HttpRequest, rows: Iterable[LoginMethods]) -> None:
        for row in code_life.contradicting(rows):
            text = _(
                "%(project)s: a code lives %(seconds)d s, and WhatsApp templates say %(minutes)d minutes."
            )
            values = {"project": row, "seconds": row.otp_valid_seconds, "minutes": code_life.TEMPLATE_MINUTES}
            self.message_user(request, text % values, messages.WARNING)

    def _warn_of_missing_senders(self, request: HttpRequest, row: LoginMethods) -> None:
        """A mode may be stored before its senders (channels.validation.may_wait)."""
        unserved = validation.unserved_channels(
            project_id=row.project_id, verify_phone_by=row.verify_phone_by
        )
        if unserved:
            names_of = ", ".join(str(ChannelChoice(channel).label) for channel in unserved)
            text = _("Nobody can log in yet: no sender for %(channels)s.")
            self.message_user(request, text % {"channels": names_of}, messages.WARNING)

    def save_model(
        self, request: HttpRequest, obj: LoginMethods, form: LoginMethodsForm, change: bool
    ) -> None:
        """Says in words what changes for users; every process acts on it from the commit on."""
        before = LoginMethods.objects.get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        for text in changes(before, obj):
            self.message_user(request, text, messages.INFO)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """They come with their project."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: LoginMethods | None = None) -> bool:
        """They go with their project."""
        return False
