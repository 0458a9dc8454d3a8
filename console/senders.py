"""Senders and test numbers in the admin."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels import breaker, health, validation
from channels.breaker import State
from channels.models import Sender
from channels.provider import Provider
from console import sender_choice
from console.base import ConsoleAdmin
from console.sender_forms import FORM_PROVIDERS, SenderForm, TestNumberForm, form_name
from console.sender_setup.views import SenderSetupAdmin
from projects.models import TestNumber
from projects.origin import address_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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
class SenderAdmin(SenderSetupAdmin):
    form = SenderForm
    list_display = (
        "__str__", "priority", "provider", "sends_from", "is_active", "condition", "set_up", "updated_at",
    )  # fmt: skip
    ordering = ("project", "channel", *Sender.TRIED)
    change_form_before_template = "admin/channels/sender_setup_link.html"
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
        main = (None, {"fields": ("project", ("channel", "provider"), ("name", "priority"), "is_active")})
        if obj is None and may_write and (choice := sender_choice.chosen(request)):
            label, tab = _tab(choice.provider)
            return [main, (label, {"fields": tab["fields"]})]
        if not may_write:
            own = [provider for provider in FORM_PROVIDERS if obj and provider.name == obj.provider]
            return [main, *(_tab(provider, plain_only=True) for provider in own)]
        stored = (_("Stored secrets"), {"classes": ["tab"], "fields": ("delete_secrets",)})
        return [main, *map(_tab, FORM_PROVIDERS), stored]

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> type[SenderForm]:  # noqa: ANN401 # Django's signature
        _origin.set(settings.AUTHSVC_PUBLIC_URL or address_of(request))
        form: type[SenderForm] = super().get_form(request, obj, *args, **kwargs)
        if obj is None and sender_choice.chosen(request):
            for name in ("channel", "provider"):
                form.base_fields[name].widget = forms.HiddenInput()
        return form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ANN401 # Django's signature
        """First the provider, where there are several; an address that names one opens its form."""
        choice = sender_choice.chosen(request)
        if request.method == "GET" and choice is None and self.has_add_permission(request):
            several = sender_choice.choices(request)
            if len(several) == 1:
                return redirect(f"{request.path}?{several[0].query}")
            context = {**self.admin_site.each_context(request), "title": _("Add a sender")}
            template = "admin/channels/sender_choice.html"
            return TemplateResponse(request, template, {**context, "choices": several})
        title = (
            {"title": _("Add a sender: %(provider)s") % {"provider": choice.provider.label}} if choice else {}
        )
        answer: HttpResponse = super().add_view(request, form_url, {**title, **(extra_context or {})})
        return answer

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
        if routed := validation.routes_naming(obj):
            text = _("Not deleted: routes of these projects name this sender: %(names)s")
            raise _Needed(text % {"names": ", ".join(routed)})
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
