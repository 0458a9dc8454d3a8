"""Error pages for people, in the style of the host's project and in their language."""

from collections.abc import Sequence

from django.core.exceptions import DisallowedHost
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from projects.config import ProjectConfig
from projects.origin import project_of


def error_page(request: HttpRequest, status: int) -> HttpResponse:
    """`status`: one that has a template (400, 403, 404, 405, 500)."""
    return render(request, f"{status}.html", {"project": _project_of(request)}, status=status)


def not_allowed(request: HttpRequest, allowed: Sequence[str]) -> HttpResponse:
    response = error_page(request, 405)
    response.headers["Allow"] = ", ".join(allowed)
    return response


def _project_of(request: HttpRequest) -> ProjectConfig | None:
    """The project named on the page; None when the host is wrong or the database is down."""
    try:
        return project_of(request)
    except (DisallowedHost, DatabaseError):
        return None
