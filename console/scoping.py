"""Which rows of the admin belong to whom: staff with roles in projects see and touch those projects only.

A page names the way from its rows to the project (`project_path`), unless the model has a column `project`. None says
that no project owns them: rows without a project, and pages without a path, are for staff of the whole installation.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import ActionLocation
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse

from projects.models import Project
from users.models import User

if TYPE_CHECKING:
    from channels.alerts import Alert
    from otp.models import LimitNotice

_UNDECLARED = "?"
_OWN_ROW = "pk"  # the path of projects themselves
# What an action may be limited to; any other permission that it names counts as the right to change.
_ACTIONS = frozenset({"view", "add", "change", "delete"})


def path_of(model: type[Model]) -> str | None:
    """The way from a row to its project that the model itself shows: a column `project`, or it is one."""
    if model is Project:
        return _OWN_ROW
    try:
        field: Any = model._meta.get_field("project")
    except FieldDoesNotExist:
        return None
    return "project" if field.related_model is Project else None


def permission_names(model: type[Model], actions: Iterable[str]) -> list[str]:
    return [f"{model._meta.app_label}.{action}_{model._meta.model_name}" for action in actions]


def projects_with(user: Any, *permissions: str) -> frozenset[uuid.UUID] | None:  # noqa: ANN401 # of a request
    """The projects in which the user has one of the permissions; None: no bound."""
    return user.projects_with(*permissions) if isinstance(user, User) else None


def may_in(user: Any, permission: str, project_id: uuid.UUID | None) -> bool:  # noqa: ANN401 # of a request
    """Whether the user has the permission for a row of this project."""
    allowed = projects_with(user, permission)
    return bool(user.has_perm(permission)) and (allowed is None or project_id in allowed)


def own_alerts(user: Any, alerts: Sequence["Alert"]) -> list["Alert"]:  # noqa: ANN401 # of a request
    """Those of the senders of projects whose senders the user may see; of shared ones for everybody else."""
    allowed = projects_with(user, "channels.view_sender")
    if allowed is None or not alerts:
        return list(alerts)
    from channels.models import Sender

    own = set(Sender.objects.filter(project__in=allowed).values_list("pk", flat=True))
    return [alert for alert in alerts if alert.sender_id in own]


def own_notices(user: Any, notices: Sequence["LimitNotice"]) -> list["LimitNotice"]:  # noqa: ANN401 # of a request
    allowed = projects_with(user, "channels.view_sender")
    return [notice for notice in notices if allowed is None or notice.project_id in allowed]


class ScopedFilter(RelatedFieldListFilter):
    """A filter by another row, whose choices are those that the member of staff may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ANN401 # Django's signature
        target = model_admin.visible_rows(request, field.related_model)
        if target is None:
            return super().field_choices(field, request, model_admin)
        return field.get_choices(include_blank=False, limit_choices_to={"pk__in": target.values("pk")})


class ScopedAdmin:
    """What the base of all pages asks before anything else. Mixed in before Django's ModelAdmin."""

    model: Any
    admin_site: Any
    project_path: ClassVar[str | None] = _UNDECLARED

    @property
    def path(self) -> str | None:
        return path_of(self.model) if self.project_path == _UNDECLARED else self.project_path

    @property
    def is_scope_declared(self) -> bool:
        """Whether the page or its model says which project a row belongs to, or that none does."""
        return self.project_path != _UNDECLARED or path_of(self.model) is not None

    def projects(self, request: HttpRequest, *actions: str) -> frozenset[uuid.UUID] | None:
        """The projects in which one of the actions on these rows is allowed; None: no bound."""
        return projects_with(request.user, *permission_names(self.model, actions))

    def project_id_of(self, row: Model) -> uuid.UUID | None:
        """None for a row that no project owns."""
        value: Any = row
        for part in (self.path or "").split(LOOKUP_SEP):
            value = getattr(value, part, None)
        key = value.pk if isinstance(value, Model) else value
        return key if isinstance(key, uuid.UUID) else None

    def _is_allowed(self, request: HttpRequest, row: Model | None, *actions: str) -> bool:
        allowed = self.projects(request, *actions)
        if allowed is None:
            return True
        if self.path is None:
            return False
        return bool(allowed) if row is None else self.project_id_of(row) in allowed

    # Rights -------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:  # noqa: ANN401 # inlines have one more
        return self._is_allowed(request, None, "add") and super().has_add_permission(request, *args)  # type: ignore[misc] # of ModelAdmin

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 # pages name their own rows
        is_allowed = self._is_allowed(request, obj, "view", "change")
        return is_allowed and super().has_view_permission(request, obj)  # type: ignore[misc] # likewise

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 # pages name their own rows
        return self._is_allowed(request, obj, "change") and super().has_change_permission(request, obj)  # type: ignore[misc] # likewise

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ANN401 # pages name their own rows
        return self._is_allowed(request, obj, "delete") and super().has_delete_permission(request, obj)  # type: ignore[misc] # likewise

    # Rows ---------------------------------------------------------------------------------------------

    def _of_projects(self, rows: QuerySet[Any], allowed: frozenset[uuid.UUID] | None) -> QuerySet[Any]:
        if allowed is None:
            return rows
        return rows.filter(**{f"{self.path}__in": allowed}) if self.path else rows.none()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc] # of ModelAdmin
        return self._of_projects(rows, self.projects(request, "view", "change"))

    def only_with(self, request: HttpRequest, rows: QuerySet[Any], *actions: str) -> QuerySet[Any]:
        """Those of the projects in which one of the actions is allowed."""
        return self._of_projects(rows, self.projects(request, *actions))

    def visible_rows(self, request: HttpRequest, model: type[Model]) -> QuerySet[Any] | None:
        """The rows of another model that the member of staff may see; None: all."""
        if projects_with(request.user) is None:
            return None
        page = self.admin_site._registry.get(model)  # noqa: SLF001 # Django has no other way to ask
        rows: QuerySet[Any] = page.get_queryset(request) if page else model._default_manager.none()
        return rows

    def get_actions(
        self, request: HttpRequest, action_location: ActionLocation = ActionLocation.CHANGE_LIST
    ) -> dict[str, Any]:
        """Whichever action Django runs, it gets the rows of those projects only in which it is allowed."""
        offered = super().get_actions(request, action_location=action_location)  # type: ignore[misc] # of ModelAdmin
        return {name: replace(action, func=self._scoped(action.func)) for name, action in offered.items()}

    def _scoped(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The action on its own rows: the form may name several actions, so only the one that runs can tell."""
        named = [name if name in _ACTIONS else "change" for name in getattr(act, "allowed_permissions", ())]

        @wraps(act)
        def run(page: Any, request: HttpRequest, rows: QuerySet[Any]) -> Any:  # noqa: ANN401 # Django's types
            for name in named:
                rows = self.only_with(request, rows, name)
            return act(page, request, rows if named else rows.none())

        return run

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, *args: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
        """Another project's row is no row."""
        if projects_with(request.user) is not None:
            raise Http404
        answer: HttpResponse = super()._get_obj_does_not_exist_redirect(request, *args)  # type: ignore[misc] # likewise
        return answer

    # Forms and filters --------------------------------------------------------------------------------

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:  # noqa: ANN401 # Django's signature
        """Only own rows can be chosen, and one must be: a row without a project belongs to everybody."""
        if projects_with(request.user) is not None:
            if db_field.related_model is Project:
                allowed = self.projects(request, "add", "change")
                kwargs["queryset"] = Project.objects.filter(pk__in=allowed or ())
            else:
                kwargs["queryset"] = self.visible_rows(request, db_field.related_model)
            kwargs["required"] = True
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc] # of ModelAdmin

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: ANN401 # Django's signature
        """The last look before anything is written."""
        row = super().save_form(request, form, change)  # type: ignore[misc] # of ModelAdmin
        if not self._is_allowed(request, row, "change" if change else "add"):
            raise PermissionDenied
        return row

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        items = list(super().get_list_filter(request))  # type: ignore[misc] # likewise
        if projects_with(request.user) is None:
            return items
        return [(item, ScopedFilter) if self._is_relation(item) else item for item in items]

    def _is_relation(self, item: Any) -> bool:  # noqa: ANN401 # a name, a class or a pair
        return isinstance(item, str) and isinstance(self.model._meta.get_field(item), ForeignKey)
