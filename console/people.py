"""A user's page for people: what is known, sessions, last challenges, and the acts of `console.people_acts`."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from console import people_facts, people_search
from console.numbers import RevealingAdmin
from console.people_acts import ACTS, Act
from console.people_forms import ActForm, MergeForm
from console.scoping import may_in
from core.errors import DomainError
from users.models import User
from users.phones import InvalidPhone, mask

_REFUSALS: dict[str, Promise] = {
    "person_gone": _("This user was erased, merged or moved at this moment. Nothing was changed."),
    "number_taken": _("Another user has this number. Merge the two, or choose another number."),
    "same_number": _("The user has this number already."),
    "same_person": _("A user cannot be merged with itself."),
    "other_project": _("The other user belongs to another project."),
    "country_not_allowed": _("The project does not send messages to this country, or is archived."),
}
_TOO_COSTLY = _("No messages are sent to numbers of this kind.")


class PeopleAdmin(RevealingAdmin):
    """The part of the user admin that is about people. Staff have forms instead."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Without those who were erased or merged: they have no number any more."""
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.filter(deletion_began_at=None).select_related("project")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        users = people_search.matching(request, queryset, search_term)
        return super().get_search_results(request, queryset, search_term) if users is None else (users, False)

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [path("<path:object_id>/act/<slug:name>/", act, name="users_user_act"), *super().get_urls()]

    # The page -----------------------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        person: User | None = self.get_object(request, unquote(object_id))
        if person is None or not person.phone:
            page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return page
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        return TemplateResponse(request, "admin/users/person.html", self._context(request, person))

    def _context(self, request: HttpRequest, person: User) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": person,
            "title": _("User"),
            "subtitle": mask(person.phone or ""),
            "number": self.revealed(request, person),
            "may_reveal": self.may_reveal(request, person),
            "facts": people_facts.facts(person),
            "sessions": people_facts.sessions(person, now=timezone.now()),
            "show_history": self.may_see_history(request, person),
            "may_end": self._may(request, person, ACTS["end-session"]),
            "applications": people_facts.applications(person),
            "challenges": people_facts.challenges(person) if self._may_see_log(request, person) else None,
            "acts": [
                act
                for act in ACTS.values()
                if act.has_button and act.offered(person) and self._may(request, person, act)
            ],
        }

    def _may(self, request: HttpRequest, person: User, act: Act) -> bool:
        return self.has_view_permission(request, person) and may_in(
            request.user, f"users.{act.permission}", person.project_id
        )

    def _may_see_log(self, request: HttpRequest, person: User) -> bool:
        return may_in(request.user, "otp.view_challenge", person.project_id)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """People are erased, after their id was typed."""
        person: User | None = self.get_object(request, unquote(object_id))
        if person is not None and person.phone:
            if not self.has_delete_permission(request, person):
                raise PermissionDenied
            return redirect("admin:users_user_act", quote(str(person.pk)), "erase")
        page: HttpResponse = super().delete_view(request, object_id, extra_context)
        return page

    # The acts -----------------------------------------------------------------------------------------

    def act(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """A link asks, and says what will happen; only the button on that page does it."""
        person: User | None = self.get_object(request, unquote(object_id))
        if name not in ACTS:
            raise Http404
        if not request.user.has_perm(f"users.{ACTS[name].permission}"):
            raise PermissionDenied
        if person is None or not person.phone:
            raise Http404
        act = ACTS[name]
        if not self._may(request, person, act):
            raise PermissionDenied
        if request.method != "POST":
            initial = {"session": request.GET.get("session", "")[:40]}
            return self._ask(request, person, act, act.form(person=person, initial=initial))
        form = act.form(request.POST, person=person)
        if form.is_valid() and self._other(request, person, form) and self._done(request, person, act, form):
            self.message_user(request, act.done, messages.SUCCESS)
            return redirect(self._next(person, act))
        asks_again = form.is_valid() and not form.errors
        return self._ask(request, person, act, form, status=200 if asks_again else 400)

    def _other(self, request: HttpRequest, person: User, form: ActForm) -> bool:
        """For a merge: whether the other user was found, shown and confirmed."""
        if not isinstance(form, MergeForm):
            return True
        users = self.get_queryset(request).filter(project=person.project, phone__isnull=False)
        other = people_search.exactly(users, form.cleaned_data["other"])
        if other is None:
            form.add_error("other", _("No user of this project has this number or id."))
            return False
        form.cleaned_data["other_user"] = other
        return bool(form.cleaned_data["confirmed"] == str(other.id))

    def _done(self, request: HttpRequest, person: User, act: Act, form: ActForm) -> bool:
        """Done and recorded in one transaction, or refused with a sentence."""
        other = form.cleaned_data.get("other_user")
        record = f"{act.record}: {other.id}" if other else act.record
        recorded = [person] if record else []
        try:
            with transaction.atomic():
                act.run(person, form.cleaned_data)
                self.log_each(request, recorded, record)
                if other:
                    self.log_each(request, [other], f"merged into: {person.id}")
        except DomainError as error:
            form.add_error(None, str(_REFUSALS.get(error.code, error.code)))
            return False
        except InvalidPhone:
            form.add_error(None, str(_TOO_COSTLY))
            return False
        act.after(other or person)
        return True

    def _next(self, person: User, act: Act) -> str:
        if act.name == "erase":
            return reverse("admin:users_user_changelist")
        return reverse("admin:users_user_change", args=[quote(str(person.pk))])

    def _ask(
        self, request: HttpRequest, person: User, act: Act, form: ActForm, *, status: int = 200
    ) -> HttpResponse:
        other = form.cleaned_data.get("other_user") if form.is_bound and form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": person,
            "title": act.title,
            "subtitle": mask(person.phone or ""),
            "act": act,
            "form": form,
            "facts": people_facts.facts(person),
            "other_id": other.id if other else "",
            "other_facts": people_facts.facts(other) if other else None,
        }
        return TemplateResponse(request, "admin/users/act.html", context, status=status)
