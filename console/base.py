"""The base class of all admin pages: secrets never render, actions name permissions, lookups are declared.

A class that breaks these rules is refused when it is registered, so the process does not start.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib.admin import AdminSite, SimpleListFilter
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.forms import ReadOnlyPasswordHashWidget
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured, ValidationError
from django.db import IntegrityError
from django.db.models import BooleanField, DateField, ForeignKey, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.utils.text import capfirst
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminPasswordWidget

from console.history import AuditedAdmin
from console.scoping import ScopedAdmin
from core.secret_columns import is_secret, secret_names

# Rules of columns belong to the base class for those who write pages.
__all__ = ["ConsoleAdmin", "ConsoleInline", "ReadOnlyAdmin", "is_secret", "secret_names"]


class ConsoleInline(TabularInline):  # type: ignore[misc] # unfold is not annotated
    """Rows of another model inside a page, whose model has no secrets."""


class ConsoleAdmin(ScopedAdmin, AuditedAdmin):
    """The base of every page of the admin."""

    def __init__(self, model: type[Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        if problems := list(self._problems()):
            raise ImproperlyConfigured(f"{type(self).__name__}: {'; '.join(problems)}")

    # Rules at registration ---------------------------------------------------------------------------

    def _problems(self) -> Iterable[str]:
        if not self.is_scope_declared:
            yield "project_path says neither which project owns a row nor that none does"
        for action in self.actions or ():
            method = action if callable(action) else getattr(self, action, None)
            if not getattr(method, "allowed_permissions", None):
                yield f"the action {action} names no permissions"
        for name in ("actions_list", "actions_row", "actions_detail", "actions_submit_line", "custom_urls"):
            if getattr(self, name):
                yield f"{name}: a link must not change anything"
        yield from self._inline_problems()
        for option, column in self._columns():
            if self._names_secret(column):
                yield f"{option}: {column} is secret"

    def _inline_problems(self) -> Iterable[str]:
        for inline in self.inlines:
            if not issubclass(inline, ConsoleInline):
                yield f"{inline.__name__} is not a ConsoleInline"
            elif secret_names(inline.model):
                yield f"{inline.__name__} has secrets"

    def _columns(self) -> Iterable[tuple[str, object]]:
        """The columns that lists show, filter, search and sort by."""
        options = (
            "list_display",
            "list_filter",
            "list_editable",
            "search_fields",
            "ordering",
            "readonly_fields",
        )
        for option in options:
            for item in getattr(self, option) or ():
                yield option, item[0] if isinstance(item, tuple) else item
        for item in self.list_display:
            yield "list_display", getattr(getattr(type(self), str(item), None), "admin_order_field", None)

    def _names_secret(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        model: Any = self.model
        for part in name.lstrip("-=^@").split(LOOKUP_SEP):
            try:
                field = model._meta.get_field(part)
            except (FieldDoesNotExist, AttributeError):
                return False
            if is_secret(field):
                return True
            model = field.related_model
        return False

    # Secrets -------------------------------------------------------------------------------------------

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401 # Django's signature
        """A secret can be typed, and is never shown again."""
        if is_secret(db_field):
            kwargs["widget"] = UnfoldAdminPasswordWidget(render_value=False)
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and is_secret(db_field):
            field.show_hidden_initial = False
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without secrets: no page needs them, and a lost encryption key must not break the page."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.defer(*secret_names(self.model))

    def _without_secrets(self, names: Iterable[Any]) -> list[Any]:
        """A form's fields (a tuple: side by side) without the secret ones."""
        hidden = secret_names(self.model)
        kept: list[Any] = []
        for name in names:
            if isinstance(name, list | tuple):
                if rest := tuple(part for part in name if part not in hidden):
                    kept.append(rest)
            elif name not in hidden:
                kept.append(name)
        return kept

    # Lists --------------------------------------------------------------------------------------------

    def lookup_allowed(self, lookup: str, _value: str, request: HttpRequest) -> bool:
        """Only the page's own filters. Anything else would be an oracle: does the number begin with 8529?"""
        return any(lookup in self._parameters(item) for item in self.get_list_filter(request))

    def _parameters(self, item: Any) -> frozenset[str]:  # noqa: ANN401 # a name or a class
        if isinstance(item, tuple):  # a field with a filter class of its own
            return self._parameters(item[0])
        if not isinstance(item, str):
            is_simple = isinstance(item, type) and issubclass(item, SimpleListFilter)
            return frozenset({str(item.parameter_name)}) if is_simple else frozenset()
        field: Any = self.model._meta.get_field(item)
        if isinstance(field, ForeignKey):
            target = field.target_field.name
            return frozenset({f"{item}__{target}__exact", f"{item}__isnull"})
        if isinstance(field, DateField):  # and DateTimeField
            return frozenset({f"{item}__gte", f"{item}__lt", f"{item}__isnull"})
        if isinstance(field, BooleanField) or field.flatchoices:
            return frozenset({f"{item}__exact", f"{item}__isnull"})
        return frozenset({item, f"{item}__isnull"})

    def _filter_actions_by_permissions(self, request: HttpRequest, actions: Iterable[Any]) -> list[Any]:
        """Django lets everyone run an action that names no permission, such as a site-wide one."""
        named = [action for action in actions if getattr(action.func, "allowed_permissions", None)]
        allowed: list[Any] = super()._filter_actions_by_permissions(request, named)
        return allowed

    # Forms --------------------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """When another request has just saved what must be unique, the form is validated again and says so."""
        view: Callable[..., HttpResponse] = super().changeform_view
        try:
            return view(request, object_id, form_url, extra_context)
        except IntegrityError:
            return view(request, object_id, form_url, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:  # noqa: ANN401 # Django's signature
        """Without secrets for readers: Django would show them the values of all fields."""
        fieldsets = super().get_fieldsets(request, obj)
        hidden = secret_names(self.model)
        may_write = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if may_write:
            hidden &= set(self.get_readonly_fields(request, obj))
        if not hidden & set(flatten_fieldsets(fieldsets)):
            return fieldsets
        kept = [
            (title, {**options, "fields": self._without_secrets(options["fields"])})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in kept if options["fields"]]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401 # Django's signature
        """Secret fields that a form declares itself are write-only, too."""
        form = super().get_form(request, obj, change=change, **kwargs)
        for name in secret_names(self.model) & set(form.base_fields):
            widget = form.base_fields[name].widget
            if isinstance(widget, ReadOnlyPasswordHashWidget):  # a button
                continue
            if not isinstance(widget, forms.PasswordInput) or widget.render_value:
                form.base_fields[name].widget = UnfoldAdminPasswordWidget(render_value=False)
        return form

    def get_deleted_objects(
        self,
        objs: Any,  # noqa: ANN401 # Django's type
        request: HttpRequest,
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Related rows are counted, not listed: they have no page, and their text may be a key."""
        rows = list(objs)
        _listed, counts, missing, protected = super().get_deleted_objects(rows, request)
        named = [f"{capfirst(row._meta.verbose_name)}: {row}" for row in rows]
        return named, counts, missing, [str(_kind(line)) for line in protected]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One by one, by the rules of the row's own page."""
        for row in queryset:
            self.delete_model(request, row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 # Django's type
        """Rows are chosen by keys: what is none is refused here, where Django would fail in the query."""
        try:
            for key in request.POST.getlist("_selected_action"):
                self.opts.pk.run_validators(self.opts.pk.to_python(key))
        except ValidationError:
            return HttpResponseBadRequest()
        return super().changelist_view(request, extra_context)

    # Rights -------------------------------------------------------------------------------

    def may(self, request: HttpRequest, permission: str) -> bool:
        """Whether this member of staff has the model's add, change, delete or view permission."""
        name = f"{self.opts.app_label}.{permission}_{self.opts.model_name}"
        return bool(request.user.has_perm(name)) and self._is_allowed(request, None, permission)


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that cannot be edited by hand."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


def _kind(line: Any) -> str:  # noqa: ANN401 # Django's text, sometimes with a link
    """The kind of a protected row, without its text."""
    return str(line).partition(":")[0]
