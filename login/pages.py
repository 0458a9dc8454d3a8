"""What all hosted pages share: their project, their headers, where they may lead, how they are rendered."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from oauth2_provider.http import OAuth2ResponseRedirect

from projects.config import ProjectConfig, projects

ACCOUNT = "/account/"
LOGIN = "/login/"
CODE = "/login/code/"
# A return address has to fit into a redirect (Django's limit is 2048) and, encoded and signed, into the login cookie.
NEXT_LIMIT = 2048

type Page = Callable[..., HttpResponse]


def page(*methods: str) -> Callable[[Page], Page]:
    """A hosted page: called with its project, answered with the headers of a private page."""
    allowed = ("GET", "HEAD", "POST") if "POST" in methods and "GET" in methods else methods

    def decorate(view: Page) -> Page:
        @wraps(view)
        def serve(request: HttpRequest, **path: Any) -> HttpResponse:  # noqa: ANN401 # whatever the path holds
            if request.method not in allowed:
                return private(HttpResponseNotAllowed(allowed))
            wanted = wanted_language(request)
            if wanted:
                translation.activate(wanted)
                request.LANGUAGE_CODE = wanted
            response = _answer(view, request, path)
            if wanted:
                remember_language(response, wanted)
            return private(response)

        return serve

    return decorate


def _answer(view: Page, request: HttpRequest, path: Mapping[str, object]) -> HttpResponse:
    project = projects.get().for_host(request.get_host())
    if project is None:
        return render(request, "login/no_project.html", status=503)
    return view(request, project, **path)


def private(response: HttpResponse) -> HttpResponse:
    """Never stored, never indexed, and different for every browser."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    return response


def show(
    request: HttpRequest,
    project: ProjectConfig,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    return render(request, f"login/{template}", {"project": project, **context}, status=status)


def see_other(url: str) -> HttpResponseRedirect:
    """Answer a POST with a page that reloading does not post again."""
    return HttpResponseRedirect(url, status=303)


def leave_for(uri: str) -> HttpResponse:
    """To an application, at an address that it registered, whose scheme may be its own."""
    response: HttpResponse = OAuth2ResponseRedirect(uri, [uri.split(":", 1)[0]])
    return response


def login_url(wanted: str) -> str:
    return f"{LOGIN}?{urlencode({'next': wanted})}" if wanted else LOGIN


def safe_next(request: HttpRequest, wanted: str) -> str:
    """`wanted` when it is a path on this very host, else nothing."""
    if not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > NEXT_LIMIT:
        return ""
    if "\\" in wanted or any(ord(character) < 33 or ord(character) == 127 for character in wanted):
        return ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else ""


def wanted_language(request: HttpRequest) -> str:
    """The first language of `?lang=` or OpenID Connect's `?ui_locales=` that we speak, else nothing."""
    asked = request.GET.get("lang") or request.GET.get("ui_locales", "")
    for tag in asked[:100].lower().split():
        try:
            return translation.get_supported_language_variant(tag)
        except LookupError:
            continue
    return ""


def remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
