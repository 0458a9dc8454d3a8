"""Clients, signing keys and logout notices in the admin. The pages of django-oauth-toolkit for tokens are removed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST
from oauth2_provider.models import get_id_token_model

from audit.kinds import Kind
from console import snippets
from console.base import ConsoleAdmin, ReadOnlyAdmin
from console.client_forms import ClientForm
from oidc import backchannel, client_secrets, keys, policy, retention
from oidc.models import (
    AccessToken,
    Algorithm,
    AuthorizationCode,
    Client,
    Consent,
    LogoutNotice,
    RefreshToken,
    SigningKey,
    TokenFamily,
)
from projects.models import Project
from projects.origin import origin_of_project

for model in (AccessToken, AuthorizationCode, Client, RefreshToken, get_id_token_model()):
    admin.site.unregister(model)


@admin.register(Client)
class ClientAdmin(ConsoleAdmin):
    form = ClientForm
    list_display = ("client_id", "name", "project", "client_type", "skip_authorization", "is_active")
    list_select_related = ("project",)
    list_filter = ("project", "client_type", "is_active")
    search_fields = ("client_id", "name")
    ordering = ("project__slug", "client_id")
    actions: ClassVar = ["renew_secret"]
    fieldsets: ClassVar = (
        (None, {"fields": ("project", "name", ("client_id", "client_type"), "is_active")}),
        (
            _("Addresses"),
            {"classes": ["tab"], "fields": ("redirect_uris", "post_logout_redirect_uris", "allowed_origins")},
        ),
        (
            _("Permissions"),
            {"classes": ["tab"], "fields": ("scopes", "skip_authorization", "pkce_required", "algorithm")},
        ),
        (
            _("Server to server"),
            {"classes": ["tab"], "fields": ("may_introspect", "backchannel_logout_uri", "jwks")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(require_GET(self.snippets))
        return [path("<int:pk>/snippets/", page, name="oidc_client_snippets"), *super().get_urls()]

    def snippets(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What to copy into an application. The secret is not among it."""
        client = self.get_object(request, str(pk))
        if not self.has_view_or_change_permission(request, client):
            raise PermissionDenied
        if client is None:
            raise Http404
        issuer = origin_of_project(client.project, request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Log users into your application"),
            "subtitle": str(client),
            "opts": self.opts,
            "client": client,
            "facts": snippets.facts(client, issuer),
            "snippets": snippets.snippets(client, issuer),
        }
        return TemplateResponse(request, "admin/oidc/snippets.html", context)

    def get_readonly_fields(self, _request: HttpRequest, obj: Client | None = None) -> tuple[str, ...]:
        """Tokens depend on these."""
        return ("project", "client_id", "client_type") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        default = Project.objects.filter(is_default=True).values_list("pk", flat=True).first()
        return {"project": default, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Client, form: ClientForm, change: bool) -> None:
        if change:  # without the secret, which may be renewed at the same time
            obj.save(update_fields=[*form.changed_data, "updated"])
        else:
            super().save_model(request, obj, form, change)
        if client_secrets.uses_secret(obj) and not obj.client_secret:
            self._show(request, obj, client_secrets.replace_secret(obj))

    def _show(self, request: HttpRequest, client: Client, secret: str) -> None:
        text = _("Client secret of %(client)s, shown only once: %(secret)s")
        self.message_user(request, text % {"client": client, "secret": secret}, messages.WARNING)

    @admin.action(description=_("Create a new secret"), permissions=["change"])
    def renew_secret(self, request: HttpRequest, queryset: QuerySet[Client]) -> None:
        for client in queryset:
            if not client_secrets.uses_secret(client):
                text = _("%(client)s has no secret: it is public, or authenticates with its keys")
                self.message_user(request, text % {"client": client}, messages.ERROR)
                continue
            self._show(request, client, client_secrets.replace_secret(client))

    def get_deleted_objects(
        self, objs: Iterable[Client], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Related rows are counted, not listed: there may be millions."""
        clients = list(objs)
        counts: dict[str, int] = {str(Client._meta.verbose_name_plural): len(clients)}
        models: tuple[type[Model], ...] = (TokenFamily, Consent, LogoutNotice)
        for model in models:
            number = model._default_manager.filter(client__in=clients).count()
            if number:
                counts[str(model._meta.verbose_name_plural)] = number
        is_allowed = all(self.has_delete_permission(request, client) for client in clients)
        missing = set() if is_allowed else {str(Client._meta.verbose_name)}
        return [f"{capfirst(client._meta.verbose_name)}: {client}" for client in clients], counts, missing, []

    def delete_model(self, _request: HttpRequest, obj: Client) -> None:
        retention.remove_client(obj)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """The signing keys, with a button for each algorithm that creates a new key."""

    project_path = None
    list_display = ("kid", "algorithm", "created_at", "state")
    list_before_template = "admin/oidc/new_key.html"
    fields = ("kid", "algorithm", "created_at", "state")

    def get_queryset(self, _request: HttpRequest) -> QuerySet[SigningKey]:
        """Without the keys themselves: a lost encryption key must not break the page."""
        return SigningKey.objects.with_retirement().defer("pem")

    @admin.display(description=_("state"))
    def state(self, key: SigningKey) -> str:
        if key.retired_at is None:
            return str(_("active"))
        until = key.retired_at + policy.KEY_PUBLISHED_AFTER
        if timezone.now() < until:
            return _("published until %(until)s") % {"until": _moment(until)}
        return _("kept to verify old ID token hints until %(until)s") % {
            "until": _moment(key.retired_at + policy.KEY_KEPT)
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        algorithms = Algorithm.values if self.may(request, "add") else []
        page: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "algorithms": algorithms}
        )
        return page

    def get_urls(self) -> list[URLPattern]:
        """With the page of the buttons: a link must not change anything, so it takes POST only."""
        rotate = self.admin_site.admin_view(require_POST(self.rotate))
        return [path("rotate/", rotate, name="oidc_signingkey_rotate"), *super().get_urls()]

    def rotate(self, request: HttpRequest) -> HttpResponse:
        if not self.may(request, "add"):
            raise PermissionDenied
        algorithm = request.POST.get("algorithm", "")
        key = keys.rotate(algorithm) if algorithm in Algorithm.values else None
        if key:
            self.message_user(
                request, _("%(kid)s is now the active key") % {"kid": key.kid}, messages.SUCCESS
            )
        else:
            self.message_user(request, _("No key was created"), messages.ERROR)
        return redirect("admin:oidc_signingkey_changelist")


def _moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")


@admin.register(LogoutNotice)
class LogoutNoticeAdmin(ReadOnlyAdmin):
    project_path = "client__project"
    list_display = ("client", "sub", "sid", "created_at", "delivered_at", "tries", "outcome", "due_at")
    list_filter = ("client",)
    show_full_result_count = False
    actions: ClassVar = ["send_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogoutNotice]:
        notices: QuerySet[LogoutNotice] = super().get_queryset(request)
        return notices.select_related("client").defer("client__client_secret")

    def has_send_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "change")

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[LogoutNotice]) -> None:
        notices = self.only_with(request, queryset, "change")
        count = backchannel.replay(notices.values_list("id", flat=True))
        self.log_each(request, notices, kind=Kind.SENT_AGAIN)
        self.message_user(request, _("%(count)s will be sent again") % {"count": count})
