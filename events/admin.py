"""Event URLs and the outbox in the admin: visible, and sent again on demand."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from events import services
from events.models import Endpoint, Event, EventType, new_secret


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    types = forms.MultipleChoiceField(
        label=_("events"), choices=EventType.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = Endpoint
        fields = ("project", "url", "types", "is_active")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if not url.startswith("https://") and not settings.INSECURE_HTTP:
            raise forms.ValidationError(_("The URL must begin with https://"))
        return url


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    form = EndpointForm
    list_display = ("url", "project", "is_active")
    list_select_related = ("project",)
    actions: ClassVar = ["renew_secret"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """Without secrets: a lost key must not take the page with it."""
        found: QuerySet[Endpoint] = super().get_queryset(request).defer("secret")
        return found

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        if change:
            obj.save(update_fields=[name for name in form.changed_data if name != "secret"] or None)
            return
        super().save_model(request, obj, form, change)
        self._show(request, obj.secret)

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """One by one, so that each is announced."""
        for endpoint in queryset:
            endpoint.delete()

    def _show(self, request: HttpRequest, secret: str) -> None:
        text = _("Signing secret, shown this once: %(secret)s")
        self.message_user(request, text % {"secret": secret}, messages.WARNING)

    @admin.action(description=_("Make a new signing secret"))
    def renew_secret(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            secret = new_secret()
            Endpoint.objects.filter(id=endpoint.id).update(secret=secret)
            self._show(request, secret)


@admin.register(Event)
class EventAdmin(ModelAdmin):  # type: ignore[misc] # unfold is not annotated
    list_display = ("type", "endpoint", "created_at", "delivered_at", "tries", "outcome", "due_at")
    list_filter = ("type", "endpoint")
    show_full_result_count = False
    actions: ClassVar = ["send_again"]
    readonly_fields = (
        "id",
        "endpoint",
        "type",
        "body",
        "created_at",
        "delivered_at",
        "tries",
        "outcome",
        "due_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        found: QuerySet[Event] = super().get_queryset(request)
        return found.select_related("endpoint").defer("endpoint__secret")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Nobody deletes one by hand. They go with their URL, so its page may."""
        page = request.resolver_match.url_name if request.resolver_match else ""
        return str(page).startswith("events_endpoint_") and bool(super().has_delete_permission(request, obj))

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        count = services.replay(queryset.values_list("id", flat=True))
        self.message_user(request, _("%(count)s will be sent again") % {"count": count})
