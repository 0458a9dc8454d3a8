"""The admin site: django-unfold's, with the content policy that its scripts need. No other page gets that policy."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite

# Alpine evaluates expressions in attributes, and unfold sets styles on elements. Everything still comes from this
# host, and nothing may frame the admin.
ADMIN_CSP: dict[str, list[str]] = {
    **settings.SECURE_CSP,  # type: ignore[dict-item] # the setting is typed as any dict
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc] # unfold is not annotated
    """For staff only: people who log in with a phone are never staff (a database constraint)."""

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        from users.hashing import Busy  # late: the site is made before the apps are loaded

        def bounded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except Busy:
                return self._wait(request, status=503, seconds=1)

        allowed: Callable[..., HttpResponse] = super().admin_view(update_wrapper(bounded, view), cacheable)
        return csp_override(ADMIN_CSP)(allowed)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """For staff who may see senders, every page shows failing senders and limits that are nearly reached."""
        context: dict[str, Any] = super().each_context(request)
        if request.user.is_active and request.user.is_staff and request.user.has_perm("channels.view_sender"):
            from channels import alerts  # late: the site is made before the apps are loaded
            from otp import limit_notices

            context["sender_alerts"] = alerts.current()
            context["near_limits"] = limit_notices.current()
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from console import staff_login  # late, as above

        self.login_form = staff_login.StaffLoginForm
        show: Callable[..., HttpResponse] = csp_override(ADMIN_CSP)(super().login)

        def page() -> HttpResponse:
            return show(request, extra_context)

        return staff_login.sign_in(request, page) if request.method == "POST" else page()

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
