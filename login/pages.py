"""Shared by all hosted pages: project, headers, rendering, redirects and language."""

from collections.abc import Callable, Hashable, Mapping
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from oauth2_provider.http import OAuth2ResponseRedirect

from channels.types import Channel
from login import sheets
from login.error_pages import not_allowed
from login.languages import first_supported
from login.messages.errors import Refusal
from projects.config import ProjectConfig
from projects.origin import Misdirected, origin_of, site_of

ACCOUNT = "/account/"
LOGIN = "/login/"
CODE = "/login/code/"
# A return URL must fit into a redirect (Django's limit is 2048) and, encoded and sealed, into the login cookie.
NEXT_LIMIT = 2048

type Page = Callable[..., HttpResponse]


def page(*methods: str) -> Callable[[Page], Page]:
    """A hosted page: the view gets its project, the response the headers of a private page."""
    allowed = ("GET", "HEAD", "POST") if "POST" in methods and "GET" in methods else methods

    def decorate(view: Page) -> Page:
        @wraps(view)
        def serve(request: HttpRequest, **path: Any) -> HttpResponse:  # noqa: ANN401 # from the URL
            if request.method not in allowed:
                return private(not_allowed(request, allowed))
            language = use_requested_language(request)
            response = _answer(view, request, path)
            # Asked again: the view may have restored a stored request.
            if language := requested_language(request) or language:
                remember_language(response, language)
            return private(response)

        serve.methods = allowed  # type: ignore[attr-defined] # for login.csrf
        return serve

    return decorate


def _answer(view: Page, request: HttpRequest, path: Mapping[str, object]) -> HttpResponse:
    try:
        site = site_of(request)
    except Misdirected:
        return render(request, "login/misdirected.html", status=421)
    if site.project is None:
        template = "closed" if site.closed else "no_project"
        return render(request, f"login/{template}.html", {"closed": site.closed}, status=503)
    return view(request, site.project, **path)


def private(response: HttpResponse) -> HttpResponse:
    """Not cached, not indexed, and different for every browser."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    patch_vary_headers(response, ("Cookie", "Accept-Language"))
    return response


class Named(NamedTuple):
    """What the frame of a page shows of its project."""

    name: str


def _has_simulated_phone() -> bool:
    return bool(settings.SIMULATOR_URL) and not settings.PRODUCTION


def show(
    request: HttpRequest,
    project: ProjectConfig,
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    shared = {"project": project, "simulated_phone": _has_simulated_phone()}
    return render(request, f"login/{template}", {**shared, **context}, status=status)


def show_filled(
    request: HttpRequest,
    project: ProjectConfig,
    template: str,
    *,
    fixed: Mapping[str, Hashable],
    values: Mapping[str, str | int],
    status: int,
) -> HttpResponse:
    """The same for a page with forms that is asked for often: see login.sheets."""
    fixed = {"project": Named(name=project.name), "simulated_phone": _has_simulated_phone(), **fixed}
    values = {"csrf_token": get_token(request), **values}
    return HttpResponse(sheets.fill(f"login/{template}", fixed=fixed, values=values), status=status)


def bad_request(request: HttpRequest, project: ProjectConfig, why: str, *, status: int = 400) -> HttpResponse:
    """For an application's request that is not safe to redirect: an error page (docs/security.md, I11)."""
    return show(request, project, "bad_request.html", {"why": why}, status=status)


def see_other(url: str) -> HttpResponseRedirect:
    """After a POST: reloading the page does not post again."""
    return HttpResponseRedirect(url, status=303)


def leave_for(uri: str) -> HttpResponse:
    """Redirect to an application, whose registered address may have a scheme of its own."""
    response: HttpResponse = OAuth2ResponseRedirect(uri, [uri.split(":", 1)[0]])
    return response


def code_url(reference: str) -> str:
    """The code page of one login (login.login_cookie)."""
    return f"{CODE}?login={reference}"


def with_retry_after(response: HttpResponse, refusal: Refusal) -> HttpResponse:
    if refusal.wait_seconds:
        response.headers["Retry-After"] = str(refusal.wait_seconds)
    return response


def login_url(next_url: str) -> str:
    return f"{LOGIN}?{urlencode({'next': next_url})}" if next_url else LOGIN


def chosen_channel(data: QueryDict) -> Channel | None:
    """The posted channel; None for any unknown value."""
    return next((channel for channel in Channel if channel.value == data.get("channel")), None)


def safe_next(request: HttpRequest, url: str) -> str:
    """`url` when it is a path on this host, else ""."""
    if not url.startswith("/") or url.startswith("//") or len(url) > NEXT_LIMIT:
        return ""
    if "\\" in url or any(ord(character) < 33 or ord(character) == 127 for character in url):
        return ""
    origin = urlsplit(origin_of(request))
    safe = url_has_allowed_host_and_scheme(
        url, allowed_hosts={origin.netloc}, require_https=origin.scheme == "https"
    )
    return url if safe else ""


def requested_language(request: HttpRequest) -> str:
    """The first supported language of `?lang=` or OpenID Connect's `?ui_locales=`, else ""."""
    tags = request.GET.get("lang") or request.GET.get("ui_locales", "")
    return first_supported(tags[:100].split())


def use_requested_language(request: HttpRequest) -> str:
    """`requested_language`, which this answer is in; `page` remembers it for the next ones."""
    language = requested_language(request)
    if language:
        translation.activate(language)
        request.LANGUAGE_CODE = language
    return language


def remember_language(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
