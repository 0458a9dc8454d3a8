"""Senders and login methods in the admin. Both are here because each is checked against the other."""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels import breaker, code_life, health, validation
from channels.breaker import State
from channels.models import Sender
from channels.provider import Provider
from console.base import ConsoleAdmin
from console.sender_forms import FORM_PROVIDERS, LoginMethodsForm, SenderForm, TestNumberForm, form_name
from projects.models import LoginMethods, TestNumber
from projects.origin import address_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if LoginMethods.objects.count() > 1:
            self._warn_of_code_lives(request, LoginMethods.objects.select_related("project"))
        ids = list(LoginMethods.objects.values_list("pk", flat=True)[:2])
        if len(ids) == 1:
            return redirect(reverse("admin:projects_loginmethods_change", args=ids))
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def render_change_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        if kwargs.get("obj") and request.method == "GET":
            self._warn_of_code_lives(request, [kwargs["obj"]])
        page: HttpResponse = super().render_change_form(request, *args, **kwargs)
        return page

    def _warn_of_code_lives(self, request: HttpRequest, rows: Iterable[LoginMethods]) -> None:
        for row in code_life.contradicting(rows):
            text = _(
                "%(project)s: a code lives %(seconds)d s, and WhatsApp templates say %(minutes)d minutes."
            )
            values = {"project": row, "seconds": row.otp_valid_seconds, "minutes": code_life.TEMPLATE_MINUTES}
            self.message_user(request, text % values, messages.WARNING)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """They come with their project."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: LoginMethods | None = None) -> bool:
        """They go with their project."""
        return False


@admin.register(TestNumber)
class TestNumberAdmin(ConsoleAdmin):
    __test__ = False
    form = TestNumberForm
    list_display = ("phone", "project", "until")
    list_select_related = ("project",)


# Of the request: all threads share the object of a page.
_origin: ContextVar[str] = ContextVar("origin")


def _callback_label(provider: Provider) -> "StrOrPromise":
    return provider.reports.callback_label if provider.reports else ""


def _setting(name: str, sender: Sender) -> object:
    return sender.settings.get(name, "")


def _tab(provider: Provider, *, plain_only: bool = False) -> tuple["StrOrPromise", dict[str, Any]]:
    """A provider's fields, a previous secret beside the current one."""
    hidden = provider.secret_names
    names = [name for name in provider.inputs if not (plain_only and name in hidden)]
    rows = [
        tuple(form_name(provider, part) for part in (name, f"{name}_previous") if part in names)
        for name in names
        if not name.endswith("_previous")
    ]
    if _callback_label(provider):
        rows.append((form_name(provider, "callback"),))
    return provider.label, {"classes": ["tab"], "fields": rows}


class _Needed(Exception):
    """A sender cannot be deleted; the text says which projects need it."""


@admin.register(Sender)
class SenderAdmin(ConsoleAdmin):
    form = SenderForm
    list_display = ("__str__", "provider", "sends_from", "is_active", "condition", "updated_at")
    list_select_related = ("project", "health", "reports")
    list_filter = ("channel", "is_active")

    def __init__(self, model: type[Sender], admin_site: admin.AdminSite) -> None:
        """What pages only show of a provider's settings is an attribute, named as the field of the form."""
        super().__init__(model, admin_site)
        for provider in FORM_PROVIDERS:
            for name in provider.inputs.keys() - provider.secret_names:
                shown = admin.display(description=provider.inputs[name].label)(partial(_setting, name))
                setattr(self, form_name(provider, name), shown)
            if label := _callback_label(provider):
                callback = admin.display(description=label)(partial(self._callback, provider))
                setattr(self, form_name(provider, "callback"), callback)

    def _callback(self, provider: Provider, _sender: Sender) -> str:
        return f"{_origin.get()}{provider.reports.path}" if provider.reports else ""

    def get_readonly_fields(self, _request: HttpRequest, _obj: Sender | None = None) -> list[str]:
        return [form_name(provider, "callback") for provider in FORM_PROVIDERS if _callback_label(provider)]

    def get_fieldsets(self, request: HttpRequest, obj: Sender | None = None) -> Any:  # noqa: ANN401 # Django's signature
        """A tab for each provider; who may only look sees the sender's own."""
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        main = (None, {"fields": ("project", ("channel", "provider"), "is_active")})
        if not may_write:
            own = [provider for provider in FORM_PROVIDERS if obj and provider.name == obj.provider]
            return [main, *(_tab(provider, plain_only=True) for provider in own)]
        stored = (_("Stored secrets"), {"classes": ["tab"], "fields": ("delete_secrets",)})
        return [main, *map(_tab, FORM_PROVIDERS), stored]

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> type[SenderForm]:  # noqa: ANN401 # Django's signature
        _origin.set(settings.AUTHSVC_PUBLIC_URL or address_of(request))
        form: type[SenderForm] = super().get_form(request, *args, **kwargs)
        return form

    @admin.display(description=_("condition"))
    def condition(self, sender: Sender) -> str:
        row, reports = getattr(sender, "health", None), getattr(sender, "reports", None)
        if not sender.is_active:
            return "—"
        is_unreported = reports is not None and reports.missing_since is not None
        if is_unreported and not (row and row.opened_by):
            return str(_("its reports do not arrive"))
        known = health.read(row) if row else breaker.Health()
        if breaker.state(known, now=timezone.now()) is not State.CLOSED:
            return str(_("Skipped (failing)"))
        return str(_("Throttled") if known.throttle else _("failing") if known.alert else _("Healthy"))

    @admin.display(description=_("from"))
    def sends_from(self, sender: Sender) -> str:
        return sender.typed_without_secrets().sends_from

    def delete_model(self, _request: HttpRequest, obj: Sender) -> None:
        """Raises _Needed."""
        if obj.is_active and (left := validation.projects_left_without(obj)):
            text = _("Not deleted: these projects promise this channel and would have no sender: %(names)s")
            raise _Needed(text % {"names": ", ".join(left)})
        obj.delete()

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        return self._all_or_none(request, partial(super().delete_view, request, *args, **kwargs))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        return self._all_or_none(request, partial(super().changelist_view, request, *args, **kwargs))

    def _all_or_none(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Nothing is deleted, and no history says so, when a project needs one of the senders."""
        if request.method != "POST":
            return view()
        try:
            with transaction.atomic():
                return view()
        except _Needed as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:channels_sender_changelist")
