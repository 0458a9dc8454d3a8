"""Who works for a project: roles and invitations. Owners see and remove theirs; superusers also give roles in the
form of a member of staff (console.users)."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from console.base import ConsoleAdmin
from console.staff import steps
from projects.origin import address_of
from users import invitations
from users.models import Invitation, Membership, User


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    list_display = ("user", "project", "role", "created_at")
    list_select_related = ("user", "project")
    list_filter = ("project", "role")
    fields = ("user", "project", "role")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """An owner who could choose among all staff would take away the rights of others: a role replaces them."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:  # noqa: ANN401 # a row
        return False


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    inviter: User

    class Meta:
        model = Invitation
        fields = ("username", "project", "role")

    def clean_username(self) -> str:
        """As the account's form has it."""
        name = User.normalize_username(self.cleaned_data["username"].strip())
        for validate in User._meta.get_field("username").validators:
            validate(name)
        if User.objects.filter(username=name).exists():
            raise ValidationError(_("There is a member of staff of this name already."))
        return str(name)

    def clean(self) -> dict[str, Any]:
        """Nobody gives what they do not have."""
        values: dict[str, Any] = super().clean() or {}
        project, role = values.get("project"), values.get("role")
        if project and role and not invitations.may_give(self.inviter, project_id=project.pk, role=role):
            self.add_error("role", _("This role gives rights that you do not have."))
        return values


@admin.register(Invitation)
class InvitationAdmin(ConsoleAdmin):
    """Made, looked at and withdrawn; never changed."""

    form = InvitationForm
    list_display = ("username", "project", "role", "invited_by", "expires_at", "used_at")
    list_select_related = ("project", "invited_by")
    list_filter = ("project", "role")
    ordering = ("-created_at",)
    fields = ("username", "project", "role")

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:  # noqa: ANN401 # a row
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """It makes an account of staff: an unlocked browser is not enough."""
        if request.method == "POST" and self.has_add_permission(request) and not steps.is_fresh(request):
            return steps.ask_again(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401 # Django's signature
        form = super().get_form(request, obj, change=change, **kwargs)
        form.inviter = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        """The token stands behind the # of the link: browsers send that to no server, so no log has it."""
        token = invitations.make_token()
        obj.token_hash = invitations.token_hash(token)
        obj.expires_at = timezone.now() + invitations.LIFE
        assert isinstance(request.user, User)  # noqa: S101 # the site's check
        obj.invited_by = request.user
        super().save_model(request, obj, form, change)
        link = f"{address_of(request)}{reverse('admin:invitation')}#{token}"
        text = _("Link for {name}, shown only once, valid for 48 hours: {link}")
        shown = format_html('<code class="wrap-anywhere">{}</code>', link)
        self.message_user(request, format_html(str(text), name=obj.username, link=shown), messages.WARNING)
