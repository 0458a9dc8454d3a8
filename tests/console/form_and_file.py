"""A sender by the admin's form, and the same by a file."""

from pathlib import Path
from typing import Any

import yaml
from django.test import Client

from channels.providers import PROVIDERS
from projects.models import Project
from tests.console.sender_pages import sender_form
from tests.ops.configfile.support import Result

# Fields of the model → where the file has them.
KEYS = {
    "from_number": "from",
    "template_name": "template.name",
    "template_languages": "template.languages",
}


def by_form(admin: Client, channel: str, values: dict[str, Any]) -> dict[str, list[str]]:
    """What the admin says of a sender of the project's own, by field."""
    project = str(Project.objects.get().pk)
    form = {**values, "channel": channel, "project": project, "is_active": "on"}
    form["template_languages"] = ", ".join(values.get("template_languages", []))
    answer = admin.post("/admin/channels/sender/add/", sender_form(form))
    if answer.status_code == 302:
        return {}
    errors = answer.context["adminform"].form.errors.get_json_data()
    return {_plain(name): [str(line["message"]) for line in lines] for name, lines in errors.items()}


def _plain(name: str) -> str:
    """A form's field without its provider."""
    first, _, rest = name.partition("_")
    return rest if first in PROVIDERS else name


def by_file(tmp_path: Path, channel: str, values: dict[str, Any]) -> list[str]:
    """What `apply` says of the same sender: lines without the way to the section."""
    named = {KEYS.get(name, name): value for name, value in values.items() if value != ""}
    section = {name: value for name, value in named.items() if not name.startswith("template.")}
    if channel == "whatsapp":
        section["template"] = {
            key.removeprefix("template."): value
            for key, value in named.items()
            if key.startswith("template.")
        }
    mode = {"verify_phone_by": f"{channel}_only"}
    document = {"shared": {}, "projects": [short_project() | {"login_methods": mode, channel: section}]}
    result = Result(yaml.safe_dump(document), tmp_path)
    lines = [line for line in result.err.splitlines() if f"projects[0].{channel}." in line]
    assert (result.code == 2) is bool(lines), result.err
    return [line.split(f"projects[0].{channel}.", 1)[1] for line in lines]


def short_project() -> dict[str, Any]:
    return {
        "slug": "acme", "name": "Acme", "default": True, "countries": {"allowed": "all"}, "fallback": {"enabled": False},
    }  # fmt: skip
