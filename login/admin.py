"""Users in the admin: people, who have a number, and staff, who have a password."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from login import ending
from users.models import User
from users.phones import InvalidPhone, mask, parse


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg] # unfold is not annotated
    """People are made by logging in; here they are found, blocked and signed out. Staff are made and edited here."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("who", "project", "is_active", "is_staff", "created_at", "last_login")
    list_select_related = ("project",)
    list_filter = ("is_staff", "is_active", "project")
    search_fields = ("username",)
    search_help_text = _("A whole phone number in any form, a username, or an id")
    ordering = ("-id",)
    actions = ["block", "unblock", "end_sessions"]
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    filter_horizontal = ()

    @admin.display(description=_("user"))
    def who(self, user: User) -> str:
        return mask(user.phone) if user.phone else user.username or ""

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401 # Django's type
        if obj is None:
            return super().get_fieldsets(request, obj)
        if obj.phone:
            return ((None, {"fields": ("who", "project", "id", "is_active", "created_at", "last_login")}),)
        fields = ("username", "password", "is_active", "is_superuser", "created_at", "last_login")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, _request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        kept = ("who", "id", "created_at", "last_login")
        return (*kept, "project", "is_active") if obj and obj.phone else kept

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """A number is looked up whole: part of it would find strangers."""
        try:
            return queryset.filter(phone=parse(search_term).e164), False
        except InvalidPhone:
            return super().get_search_results(request, queryset, search_term)

    @admin.action(description=_("Block"))
    def block(self, _request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user_id in queryset.values_list("id", flat=True):
            ending.set_active(user_id=user_id, active=False)

    @admin.action(description=_("Unblock"))
    def unblock(self, _request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user_id in queryset.values_list("id", flat=True):
            ending.set_active(user_id=user_id, active=True)

    @admin.action(description=_("Sign out everywhere"))
    def end_sessions(self, _request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user_id in queryset.values_list("id", flat=True):
            ending.end_everything(user_id=user_id)
