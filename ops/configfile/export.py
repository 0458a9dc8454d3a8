"""The database as a file: the form that `apply` reads, without secrets."""

import re
from typing import Any

import yaml

from channels.models import Sender
from channels.providers import PROVIDERS
from ops.configfile import clients, senders
from ops.configfile.login_methods import METHOD_FIELDS
from projects.models import LoginMethods, Project

# PyYAML writes them as they are, and reads them as the end of a line.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Writes every text so that it is read again as it was."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if _LINE_ENDS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def export() -> str:
    """YAML. Applying it to the same database changes nothing."""
    document: dict[str, Any] = {}
    if shared := _senders(None):
        document["shared"] = shared
    rows = LoginMethods.objects.select_related("project").prefetch_related(
        "project__domains", "project__test_numbers"
    )
    document["projects"] = [_project(row) for row in rows.order_by("project__slug")]
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))


def _project(methods: LoginMethods) -> dict[str, Any]:
    project = methods.project
    section: dict[str, Any] = {"slug": project.slug, "name": project.name, "default": project.is_default}
    if project.archived_at:
        section["archived"] = True
    if domains := sorted(domain.host for domain in project.domains.all()):
        section["domains"] = domains
    for field, (name, key) in METHOD_FIELDS.items():
        section.setdefault(name, {})[key] = _plain(getattr(methods, field))
    if methods.routing:
        section["routing"] = methods.routing
    if numbers := sorted(project.test_numbers.all(), key=lambda row: row.phone):
        section["test_numbers"] = [{"phone": row.phone, "until": row.until} for row in numbers]
    section |= _senders(project)
    if listed := clients.export(project):
        section["clients"] = listed
    return section


def _plain(value: object) -> object:
    """Values as YAML writes them: the word all, and plain strings of choices."""
    if value == ["all"]:  # with networks beside it, a list
        return "all"
    return str(value) if isinstance(value, str) else value


def _senders(project: Project | None) -> dict[str, Any]:
    active = Sender.objects.filter(project=project, is_active=True, provider__in=list(PROVIDERS))
    return senders.export_all(active.defer("secrets").order_by("-channel", *Sender.TRIED))
