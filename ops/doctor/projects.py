"""Checks of `manage.py doctor`: projects against today's rules."""

from collections.abc import Iterator

from django.conf import settings
from django.http.request import validate_host

from channels import validation
from channels.findings import Finding, about, ok, warn
from core.hosts import read_host
from projects import routing, rules
from projects.models import LoginMethods, Project


def set_up() -> Iterator[Finding]:
    """Rows stored by an earlier version were never validated against later rules."""
    count = 0
    rows = Project.objects.select_related("login_methods").prefetch_related("domains").order_by("slug")
    for project in rows:
        for finding in _project(project):
            count += 1
            yield about(project.slug, finding)
    if not count:
        yield ok("projects are complete")


def _project(project: Project) -> Iterator[Finding]:
    if project.archived_at:
        return
    methods: LoginMethods | None = getattr(project, "login_methods", None)
    if methods is None:
        yield warn("has no login methods: its hosts answer 503", "Save them in the admin.")
    else:
        for name, text in rules.login_methods_problems(vars(methods)):
            yield warn(f"{name} {text}", "Correct it under Login methods.")
        yield from _routes(methods)
    for domain in project.domains.all():
        host = read_host(domain.host)
        if host is None:
            yield warn(f"{domain.host} is not a host name, so no browser can reach it", "Remove it.")
        elif not validate_host(host.name, settings.ALLOWED_HOSTS):
            yield warn(f"{host.name} is not in ALLOWED_HOSTS and is refused", "Add it there.")


def _routes(methods: LoginMethods) -> Iterator[Finding]:
    """Numbers of a route that breaks a rule are sent what is left of it, or follow the usual order."""
    values = {**vars(methods), "routing": methods.routing}
    for text in routing.sentences(values, senders=validation.named_senders(methods.project_id)):
        yield warn(text.rstrip("."), "Correct it under Login methods, Routing.")
