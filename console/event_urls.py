"""Event URLs and the outbox in the admin; events can be sent again."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from audit.kinds import Kind
from console.base import ConsoleAdmin
from core import outgoing
from events import services
from events.models import Endpoint, Event, EventType, new_secret


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    url = forms.CharField(label=_("URL"), max_length=500, widget=UnfoldAdminTextInputWidget)
    types = forms.MultipleChoiceField(
        label=_("events"), choices=EventType.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    class Meta:
        model = Endpoint
        fields = ("project", "url", "types", "is_active")

    def _get_validation_exclusions(self) -> set[str]:
        """`clean_url` validates the URL: Django's field refuses hosts without a dot, which a setting may allow."""
        return {*super()._get_validation_exclusions(), "url"}  # type: ignore[misc] # Django's own hook, not in the stubs

    def validate_constraints(self) -> None:
        """Including the URL, which is unique in a project."""
        try:
            self.instance.validate_constraints(exclude=self._get_validation_exclusions() - {"url"})
        except forms.ValidationError as error:
            self.add_error(None, error)

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        if problem := outgoing.url_problem(url):
            raise forms.ValidationError(problem)
        return url


@admin.register(Endpoint)
class EndpointAdmin(ConsoleAdmin):
    form = EndpointForm
    list_display = ("url", "project", "is_active")
    list_select_related = ("project",)
    actions: ClassVar = ["renew_secret"]

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        if change:
            obj.save(update_fields=[name for name in form.changed_data if name != "secret"] or None)
            return
        super().save_model(request, obj, form, change)
        self._show(request, obj.secret)

    def _show(self, request: HttpRequest, secret: str) -> None:
        text = _("Signing secret, shown only once: %(secret)s")
        self.message_user(request, text % {"secret": secret}, messages.WARNING)

    @admin.action(description=_("Create a new signing secret"), permissions=["change"])
    def renew_secret(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for endpoint in queryset:
            secret = new_secret()
            Endpoint.objects.filter(id=endpoint.id).update(secret=secret)
            self._show(request, secret)
            self.log_each(request, [endpoint], kind=Kind.SECRET_RENEWED)


@admin.register(Event)
class EventAdmin(ConsoleAdmin):
    project_path = "endpoint__project"
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
        events: QuerySet[Event] = super().get_queryset(request)
        return events.select_related("endpoint").defer("endpoint__secret")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        """Only with their URL, never one by one."""
        page = request.resolver_match.url_name if request.resolver_match else ""
        return str(page).startswith("events_endpoint_") and bool(super().has_delete_permission(request, obj))

    @admin.action(description=_("Send again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        events = self.only_with(request, queryset, "change")
        count = services.replay(events.values_list("id", flat=True))
        self.log_each(request, events, kind=Kind.SENT_AGAIN)
        self.message_user(request, _("%(count)s will be sent again") % {"count": count})
