"""The admin site: django-unfold's, with the content policy that its scripts need. No other page gets that policy."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe
from unfold.sites import UnfoldAdminSite

from console.content_policy import ADMIN_CSP


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc] # unfold is not annotated
    """For staff only: people who log in with a phone are never staff (a database constraint)."""

    index_title = _("Dashboard")

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        from console.staff import steps  # late: the site is made before the apps are loaded
        from users.hashing import Busy

        def bounded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            # No column holds a NUL, and PostgreSQL compares nothing with one.
            if "%00" in request.GET.urlencode():
                raise BadRequest("a NUL in the address")
            steps.touch(request)
            try:
                return view(request, *args, **kwargs)
            except Busy:
                return self._wait(request, status=503, seconds=1)

        allowed: Callable[..., HttpResponse] = super().admin_view(update_wrapper(bounded, view), cacheable)
        return csp_override(ADMIN_CSP)(allowed)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from console import dashboard  # late, as above
        from console.staff import urls

        figure = self.admin_view(require_safe(dashboard.csv))
        return [
            *urls.patterns(self),
            path("setup/", self.admin_view(self.setup), name="setup"),
            path("figures/<slug:figure>.csv", figure, name="stats_csv"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """For staff who may see senders, every page shows failing senders and limits that are nearly reached."""
        context: dict[str, Any] = super().each_context(request)
        if self.has_permission(request) and request.user.has_perm("channels.view_sender"):
            from channels import alerts  # late: the site is made before the apps are loaded
            from console import scoping
            from otp import limit_notices

            context["sender_alerts"] = scoping.own_alerts(request.user, alerts.current())
            context["near_limits"] = scoping.own_notices(request.user, limit_notices.current())
        return context

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff who have proven everything that a sign-in asks of them (console.staff.steps)."""
        from console.staff import steps  # late, as above

        return bool(super().has_permission(request)) and steps.is_verified(request)

    def setup(self, request: HttpRequest) -> HttpResponse:
        """The set-up list on a page of its own, also when it is done."""
        from console import setup_facts  # late, as above

        context = self.each_context(request)
        setup = setup_facts.setup_of(request, known=context.get("sender_alerts"))
        if setup is None:
            raise PermissionDenied
        return TemplateResponse(
            request, "admin/setup.html", {**context, "title": _("Set-up"), "setup": setup}
        )

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from console import staff_login  # late, as above

        if request.method == "GET" and self.has_permission(request):
            return redirect(staff_login.PasswordView().get_redirect_url(request) or "admin:index")
        context = {
            **self.each_context(request),
            "title": _("Log in"),
            "app_path": request.get_full_path(),
            "username": request.user.get_username(),
            **(extra_context or {}),
        }
        show: Callable[..., Any] = csp_override(ADMIN_CSP)(
            staff_login.PasswordView.as_view(extra_context=context)
        )

        def page() -> HttpResponse:
            answer: HttpResponse = show(request)
            return answer

        return staff_login.sign_in(request, page) if request.method == "POST" else page()

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from console import staff_audit  # late, as above

        if request.method == "POST":  # any other method signs nobody out
            staff_audit.signed_out(request)
        answer: HttpResponse = super().logout(request, extra_context)
        return answer

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from abuse.errors import RateLimited, Unavailable
        from console import staff_login  # late, as above

        show: Callable[..., HttpResponse] = super().password_change
        if request.method != "POST":
            return show(request, extra_context)
        try:
            return staff_login.change_password(request, lambda: show(request, extra_context))
        except RateLimited as error:
            return self._wait(request, status=429, seconds=error.wait_seconds)
        except Unavailable:
            return self._wait(request, status=503, seconds=1)

    def _wait(self, request: HttpRequest, *, status: int, seconds: int) -> HttpResponse:
        from console import staff_login  # late, as above

        context = {**self.each_context(request), "title": staff_login.wait_text(seconds)}
        answer = TemplateResponse(request, "admin/wait.html", context, status=status)
        answer.headers["Retry-After"] = str(seconds)
        return answer
