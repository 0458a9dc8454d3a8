"""Projects in the admin. Login methods are in `console.login_methods`."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from console import new_project
from console.base import ConsoleAdmin, ConsoleInline
from console.project_forms import DomainForm, ProjectForm
from core.config_models import ConfigVersion
from projects import archiving, removal
from projects.models import Domain, Project

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# How long the request deletes; the worker deletes the rest.
_SECONDS_OF_A_REQUEST = 5.0


class DomainInline(ConsoleInline):
    model = Domain
    form = DomainForm
    extra = 0
    tab = True


@admin.register(Project)
class ProjectAdmin(ConsoleAdmin):
    form = ProjectForm
    list_display = ("name", "slug", "is_default", "state", "created_at")
    list_select_related = ("login_methods",)
    inlines: ClassVar = [DomainInline]
    actions: ClassVar = ["archive", "restore"]

    @admin.display(description=_("state"))
    def state(self, project: Project) -> str:
        methods = getattr(project, "login_methods", None)
        if project.deletion_began_at:
            return str(_("being deleted"))
        if project.archived_at:
            return str(_("archived"))
        return str(_("in use") if methods and methods.countries_allowed else _("not set up yet"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new project comes with its first client."""
        return bool(super().has_add_permission(request) and request.user.has_perm("oidc.add_client"))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002 # Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002 # Django's signature
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return new_project.show(self, request)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        """One by one, each confirmed by its name: never several from the list."""
        return obj is not None and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Project, form: ProjectForm, change: bool) -> None:
        with transaction.atomic():
            if change:
                _take_over_ends(obj)
            if obj.is_default:
                ConfigVersion.bump()  # takes the row lock, so that concurrent changes of the default wait
                for other in Project.objects.filter(is_default=True).exclude(pk=obj.pk):
                    other.is_default = False
                    other.save(update_fields=["is_default"])
                    text = _("%(name)s was the default project until now.")
                    self.message_user(request, text % {"name": other.name}, messages.INFO)
            super().save_model(request, obj, form, change)

    @admin.action(
        description=_("Archive: its hosts stop answering, everything is kept"), permissions=["change"]
    )
    def archive(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._each(request, queryset, archiving.archive, _("%(name)s is archived."))

    @admin.action(description=_("Restore from the archive"), permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._each(request, queryset, archiving.restore, _("%(name)s is in use again."))

    def _each(
        self,
        request: HttpRequest,
        rows: Iterable[Project],
        act: Callable[[Project], None],
        done: "StrOrPromise",
    ) -> None:
        for project in rows:
            try:
                act(project)
            except archiving.NotPossible as error:
                self.message_user(request, f"{project.name}: {error}.", messages.ERROR)
            else:
                self.message_user(request, done % {"name": project.name})

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Deletes the project with everything in it, after its name was typed."""
        project: Project | None = self.get_object(request, unquote(object_id))
        if project is None:
            not_found: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return not_found
        if not self.has_delete_permission(request, project):
            raise PermissionDenied
        problem = removal.problem(project)
        if request.method == "POST" and not problem:
            if request.POST.get("name", "").strip() == project.name:
                return self._delete(request, project)
            problem = str(_("the name does not match: nothing was deleted"))
        context = {
            **self.admin_site.each_context(request),
            **(extra_context or {}),
            "title": _("Delete %(name)s") % {"name": project.name},
            "opts": self.opts,
            "project": project,
            "counts": removal.counts(project),
            "problem": capfirst(problem),
        }
        status = 400 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/projects/delete.html", context, status=status)

    def _delete(self, request: HttpRequest, project: Project) -> HttpResponse:
        name = project.name
        removal.begin(project)
        if removal.remove(project, seconds=_SECONDS_OF_A_REQUEST):
            self.message_user(request, _("%(name)s is deleted.") % {"name": name}, messages.SUCCESS)
        else:
            text = _("%(name)s no longer answers. The rest of it is being deleted in the background.")
            self.message_user(request, text % {"name": name}, messages.WARNING)
        return redirect("admin:projects_project_changelist")


def _take_over_ends(project: Project) -> None:
    """What the form has not may have changed since it was read: archived it stays so, and a deletion goes on."""
    row = Project.objects.select_for_update().only("archived_at", "deletion_began_at").get(pk=project.pk)
    project.archived_at, project.deletion_began_at = row.archived_at, row.deletion_began_at
    project.is_default = project.is_default and row.archived_at is None
