"""Users in the admin: people with a phone number, staff with a password, and the groups of staff."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import ReadOnlyPasswordHashWidget
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from console.base import ConsoleAdmin, ConsoleInline
from console.paginator import BoundedPaginator
from console.people import PeopleAdmin
from console.staff import steps
from login import sign_out
from users import fictional, second_factors
from users.models import Membership, User, new_session_salt
from users.phones import mask

admin.site.unregister(Group)


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser


def _must_prove(request: HttpRequest) -> bool:
    """Whether who may change staff has to prove again that it is them. Everybody else is refused anyway."""
    return request.method == "POST" and _is_superuser(request) and not steps.is_fresh(request)


class _PasswordButton(ReadOnlyPasswordHashWidget):
    """A link to the password form. Django's widget also shows the beginning of the hash."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ANN401, ARG002 # Django's signature
        label = self.get_context(name, value, attrs)["button_label"]
        return format_html('<a class="text-link" href="../password/">{}</a>', label)


class UserForm(UserChangeForm):  # type: ignore[misc] # unfold is not annotated
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            self.fields["password"].widget = _PasswordButton()
        _require_username(self.fields)


class NewUserForm(UserCreationForm):  # type: ignore[misc] # unfold is not annotated
    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # Django's signature
        super().__init__(*args, **kwargs)
        _require_username(self.fields)


def _require_username(fields: dict[str, Any]) -> None:
    """The column is empty for people; Django's field turns that into None and fails on it."""
    if "username" in fields:
        fields["username"].required, fields["username"].empty_value = True, ""


class MembershipInline(ConsoleInline):
    model = Membership
    fields = ("project", "role")
    extra = 0
    tab = True

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401 # Django's signature
        """The projects are read once, not for each row."""
        formset = super().get_formset(request, obj, **kwargs)
        field = formset.form.base_fields["project"]
        field.choices = [*map(tuple, field.choices)]  # list() would count them first
        return formset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("project")


@admin.register(User)
class UserAdmin(PeopleAdmin, DjangoUserAdmin):  # type: ignore[type-arg] # not subscriptable at run time
    """People are created by logging in; here they can be blocked and signed out. Only superusers manage staff."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("who", "project", "is_active", "is_staff", "created_at", "last_login")
    list_select_related = ("project",)
    list_filter = ("is_staff", "is_active", "project")
    search_fields = ("username",)
    search_help_text = _("A number, a username, or an id")
    ordering = ("-id",)
    sortable_by = ()  # any other order, and a full count, reads every row
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ["block", "unblock", "end_sessions", "reset_second_factor"]
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    filter_horizontal = ()  # Django's pair of lists is for large screens, and says less than a plain one to a reader

    @admin.display(description=_("user"))
    def who(self, user: User) -> str:
        """Accounts of rehearsals are marked."""
        if not user.phone:
            return user.username or ""
        is_test = fictional.is_fictional(user.phone)
        return _("%(number)s (test)") % {"number": mask(user.phone)} if is_test else mask(user.phone)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:  # noqa: ANN401 # Django's type
        if obj is None:
            return super().get_fieldsets(request, obj)
        names = ["username", "is_active", "is_superuser", "created_at", "last_login"]
        if _is_superuser(request):
            names = [*names[:1], "password", *names[1:3], "groups", "user_permissions", *names[3:]]
        return ((None, {"fields": names}),)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        kept: tuple[str, ...] = ("who", "id", "created_at", "last_login")
        if obj is not None and obj == request.user:  # so that they cannot lock themselves out
            kept = (*kept, "is_active", "is_superuser")
        return (*kept, "project", "is_active") if obj and obj.phone else kept

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:  # noqa: ANN401 # Django's type
        """Roles in projects, of staff, by superusers."""
        return [MembershipInline] if _is_staff(obj) and _is_superuser(request) else []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        """Roles in projects replace rights of the whole installation, which would return with the last role."""
        super().save_related(request, form, formsets, change)
        user = form.instance
        if user.memberships.exists() and (user.groups.exists() or user.user_permissions.exists()):
            user.groups.clear()
            user.user_permissions.clear()
            text = _("Groups and permissions are removed: they are for staff of the whole installation.")
            self.message_user(request, text, messages.WARNING)

    def get_deleted_objects(
        self,
        objs: Any,  # noqa: ANN401 # Django's type
        request: HttpRequest,  # noqa: ARG002 # Django's signature
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Nothing of a member of staff keeps the account; looking at each table would say no more."""
        rows = list(objs)
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    # Only superusers change staff: changing an account is a way to take it over.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return bool(allowed and (_is_superuser(request) or not _is_staff(obj)))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """One by one: people after their id was typed, never several from the list."""
        allowed = obj is not None and super().has_delete_permission(request, obj)
        return bool(allowed and obj != request.user and (_is_superuser(request) or not _is_staff(obj)))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Accounts of staff are made and changed after a fresh proof only: an unlocked browser is not enough."""
        if _must_prove(request):
            return steps.ask_again(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 # Django's name
        """Of other staff, after a fresh proof. Who changes their own types the old one. People have no password."""
        user = self.get_object(request, id)
        if user is not None and user.phone:
            raise PermissionDenied
        if user is not None and user == request.user and _is_superuser(request):
            return redirect("admin:password_change")
        if _must_prove(request):
            return steps.ask_again(request)
        page: HttpResponse = super().user_change_password(request, id, form_url)
        return page

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ANN401 # Django's signature
        """Blocking and unblocking end all sessions for good, as the actions do."""
        if not change:
            obj.is_staff = True
        elif "is_active" in form.changed_data:
            obj.session_salt = new_session_salt()
        super().save_model(request, obj, form, change)

    @admin.action(description=_("Block"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        if request.user in queryset:
            self.message_user(request, _("You cannot block yourself."), messages.ERROR)
            return
        self._each(request, queryset, lambda user_id: sign_out.set_active(user_id=user_id, active=False))

    @admin.action(description=_("Unblock"), permissions=["change"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda user_id: sign_out.set_active(user_id=user_id, active=True))

    @admin.action(description=_("Sign out everywhere"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, lambda user_id: sign_out.end_everything(user_id=user_id))

    def has_reset_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    @admin.action(description=_("Reset the second factor of staff"), permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For who lost everything; asks the superuser for a fresh proof."""
        if not steps.is_fresh(request):
            text = _("First confirm that it is you, under Your security.")
        elif request.user in queryset or queryset.filter(is_staff=False).exists():
            text = _("Choose other members of staff only.")
        else:
            self._each(request, queryset, second_factors.reset, "second factor reset")
            return
        self.message_user(request, text, messages.ERROR)

    def _each(
        self, request: HttpRequest, queryset: QuerySet[User], act: Callable[[UUID], object], text: str = ""
    ) -> None:
        """All or none: if one of the users may not be changed, nothing happens. `text`: for what no service records."""
        users = list(queryset)
        if not all(self.has_change_permission(request, user) for user in users):
            self.message_user(request, _("Only superusers can change members of staff."), messages.ERROR)
            return
        for user in users:
            act(user.id)
        if text:
            self.log_each(request, users, text)


def _is_staff(user: Model | None) -> bool:
    return isinstance(user, User) and user.is_staff


@admin.register(Group)
class GroupAdmin(ConsoleAdmin, DjangoGroupAdmin):
    """Groups of permissions for staff. Superusers only."""

    filter_horizontal = ()

    project_path = None

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 # Django's name
        return _is_superuser(request)

    has_change_permission = has_delete_permission = has_add_permission = has_view_permission
    has_module_permission = has_view_permission

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A group gives rights to all its members at once, so it asks as their own forms do."""
        if _must_prove(request):
            return steps.ask_again(request)
        return super().changeform_view(request, object_id, form_url, extra_context)
