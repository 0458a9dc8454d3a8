"""The admin site: django-unfold's, with the content policy that its scripts need and no other page gets."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite

# Alpine evaluates expressions that stand in attributes, and unfold sets styles on elements. Everything still comes
# from this host, and nothing may frame the admin.
ADMIN_CSP: dict[str, list[str]] = {
    **settings.SECURE_CSP,  # type: ignore[dict-item] # the setting is typed as any dict
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc] # unfold is not annotated
    """Staff only: people who log in with a phone are never staff (a database constraint)."""

    def admin_view(
        self, view: Callable[..., HttpResponse], cacheable: bool = False
    ) -> Callable[..., HttpResponse]:
        allowed: Callable[..., HttpResponse] = super().admin_view(view, cacheable)
        return csp_override(ADMIN_CSP)(allowed)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Every page says which senders need somebody."""
        context: dict[str, Any] = super().each_context(request)
        if request.user.is_active and request.user.is_staff:
            from channels import alerts  # late: the site is made before the apps are loaded

            context["sender_alerts"] = alerts.current()
        return context

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: Callable[..., HttpResponse] = csp_override(ADMIN_CSP)(super().login)
        return page(request, extra_context)
