"""The pages of staff's own sign-in, inside the admin's addresses and under its content policy."""

from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csp import csp_override

from console.content_policy import ADMIN_CSP
from console.staff import invitation_page, own_pages, session_pages, sign_in_pages

type View = Callable[[HttpRequest], HttpResponse]

# Before somebody is signed in.
_PUBLIC: tuple[tuple[str, str, View], ...] = (
    ("login/second-factor/", "second_factor", sign_in_pages.second_factor),
    ("login/second-factor/passkey/", "second_factor_passkey", sign_in_pages.passkey_options),
    ("login/enrol/", "enrol", sign_in_pages.enrol),
    ("invitation/", "invitation", invitation_page.invitation),
    ("login/enrol/passkey/", "enrol_passkey", sign_in_pages.enrol_options),
)
_SIGNED_IN: tuple[tuple[str, str, View], ...] = (
    ("security/", "security", own_pages.security),
    ("security/app/", "security_app", own_pages.begin_app),
    ("security/add/", "security_add", own_pages.add),
    ("security/passkey/", "security_passkey", own_pages.passkey_options),
    ("security/remove/", "security_remove", own_pages.remove),
    ("security/codes/", "security_codes", own_pages.new_codes),
    ("security/confirm/", "confirm", own_pages.confirm),
    ("security/confirm/passkey/", "confirm_passkey", own_pages.confirm_options),
    ("sessions/", "staff_sessions", session_pages.sessions_page),
    ("sessions/end/", "staff_sessions_end", session_pages.end_sessions),
)


def patterns(site: AdminSite) -> list[URLPattern]:
    public = [path(route, csp_override(ADMIN_CSP)(view), name=name) for route, name, view in _PUBLIC]
    return [*public, *(path(route, site.admin_view(view), name=name) for route, name, view in _SIGNED_IN)]
