"""The database as a file: the form that `apply` reads, secrets left out."""

from typing import Any

import yaml

from authsvc.configfile import clients
from authsvc.configfile.wishes import METHOD_FIELDS, SMS_FIELDS, WHATSAPP_FIELDS
from channels.models import SECRET_FIELDS, Sender
from projects.models import LoginMethods, Project


def export() -> str:
    """YAML. Applying it to the same database changes nothing."""
    document: dict[str, Any] = {}
    if shared := _senders(None):
        document["shared"] = shared
    methods = LoginMethods.objects.select_related("project").prefetch_related(
        "project__domains", "project__test_numbers"
    )
    document["projects"] = [_project(row) for row in methods.order_by("project__slug")]
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120))


def _project(methods: LoginMethods) -> dict[str, Any]:
    project = methods.project
    found: dict[str, Any] = {"slug": project.slug, "name": project.name, "default": project.is_default}
    if domains := sorted(domain.host for domain in project.domains.all()):
        found["domains"] = domains
    for section, fields in METHOD_FIELDS.items():
        found[section] = {key: _plain(getattr(methods, name)) for key, name in fields.items()}
    if numbers := [
        {"phone": row.phone, "until": row.until} for row in project.test_numbers.order_by("phone")
    ]:
        found["test_numbers"] = numbers
    found |= _senders(project)
    if listed := clients.export(project):
        found["clients"] = listed
    return found


def _plain(value: object) -> object:
    """Values as YAML writes them: the word all, and plain strings of choices."""
    if value == ["all"]:
        return "all"
    return str(value) if isinstance(value, str) else value


def _senders(project: Project | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in Sender.objects.filter(project=project, is_active=True).order_by("-channel"):
        fields = WHATSAPP_FIELDS if row.channel == "whatsapp" else SMS_FIELDS[row.provider]
        section: dict[str, Any] = {}
        if row.channel == "sms" or row.provider != "meta":
            section["provider"] = str(row.provider)
        section |= {
            key: getattr(row, name)
            for key, name in fields.items()
            if name not in SECRET_FIELDS and getattr(row, name)
        }
        if row.channel == "whatsapp":
            section["template"] = {"name": row.template_name, "languages": list(row.template_languages)}
        found[str(row.channel)] = section
    return found
