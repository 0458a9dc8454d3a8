"""Senders and login methods in the admin. Both are here because each is checked against the other."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from channels import breaker, health, validation
from channels.breaker import State
from channels.forms import LoginMethodsForm, SenderForm, TestNumberForm
from channels.models import Sender
from projects.models import LoginMethods, TestNumber


@admin.register(LoginMethods)
class LoginMethodsAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
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
                    ("fallback_enabled", "fallback_wait_seconds"),
                    ("otp_length", "otp_valid_seconds"),
                    ("resend_after_seconds", "max_attempts"),
                ),
            },
        ),
        (
            _("Countries"),
            {"classes": ["tab"], "fields": ("all_countries", "countries_allowed", "countries_pinned")},
        ),
    )

    def get_readonly_fields(self, _request: HttpRequest, obj: LoginMethods | None = None) -> tuple[str, ...]:
        return ("project",) if obj else ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With one project there is nothing to choose from."""
        ids = list(LoginMethods.objects.values_list("pk", flat=True)[:2])
        if len(ids) == 1:
            return redirect(reverse("admin:projects_loginmethods_change", args=ids))
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def has_delete_permission(self, _request: HttpRequest, _obj: LoginMethods | None = None) -> bool:
        """They go with their project."""
        return False


@admin.register(TestNumber)
class TestNumberAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    __test__ = False
    form = TestNumberForm
    list_display = ("phone", "project", "until")
    list_select_related = ("project",)


@admin.register(Sender)
class SenderAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    form = SenderForm
    list_display = ("__str__", "provider", "sends_from", "is_active", "condition", "updated_at")
    list_select_related = ("project", "health")
    list_filter = ("channel", "is_active")
    readonly_fields = ("webhook_address",)
    fieldsets: ClassVar = (
        (None, {"fields": ("project", ("channel", "provider"), "is_active")}),
        (
            _("WhatsApp Business account"),
            {
                "classes": ["tab"],
                "fields": (
                    ("phone_number_id", "business_account_id"),
                    "access_token",
                    ("app_secret", "app_secret_previous"),
                    "verify_token",
                    ("template_name", "template_languages"),
                    "webhook_address",
                ),
            },
        ),
        (
            _("Twilio"),
            {
                "classes": ["tab"],
                "fields": (
                    "account_sid",
                    ("auth_token", "auth_token_previous"),
                    ("from_number", "messaging_service_sid"),
                ),
            },
        ),
        (_("HTTP gateway"), {"classes": ["tab"], "fields": ("url", "signing_secret")}),
        (_("Stored secrets"), {"classes": ["tab"], "fields": ("forget",)}),
    )

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[SenderForm]:  # noqa: ANN401 # Django's signature
        self._origin = settings.AUTHSVC_PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
        form: type[SenderForm] = super().get_form(request, *args, **kwargs)
        return form

    @admin.display(description=_("condition"))
    def condition(self, sender: Sender) -> str:
        known = getattr(sender, "health", None)
        if known is None or not sender.is_active:
            return "—" if not sender.is_active else str(_("well"))
        found = health.read(known)
        if breaker.state(found, now=timezone.now()) is not State.CLOSED:
            return str(_("passed over: it fails"))
        return str(_("slowed down") if found.pace else _("failing") if found.alert else _("well"))

    @admin.display(description=_("from"))
    def sends_from(self, sender: Sender) -> str:
        return sender.from_number or sender.messaging_service_sid or sender.phone_number_id or sender.url

    @admin.display(description=_("Callback URL for Meta"))
    def webhook_address(self, _sender: Sender) -> str:
        return f"{self._origin}/whatsapp/webhook"

    def delete_model(self, request: HttpRequest, obj: Sender) -> None:
        self.delete_queryset(request, Sender.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Sender]) -> None:
        """One by one, so that each is checked and announced; those that a project needs stay."""
        for sender in queryset:
            left = validation.projects_left_without(sender) if sender.is_active else []
            if left:
                names = ", ".join(left)
                text = _(
                    "Not deleted: these projects promise this channel and would have no sender: %(names)s"
                )
                self.message_user(request, text % {"names": names}, messages.ERROR)
            else:
                sender.delete()
