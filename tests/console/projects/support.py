"""The form of a project, and what a page says."""

from typing import Any

from django.test import Client

from projects.models import Project

PASSWORD = "a long enough password"  # made up
LIST = "/admin/projects/project/"


def form(project: Project | None = None, *hosts: str, **changes: str | None) -> dict[str, str]:
    values: dict[str, str | None] = {
        "name": project.name if project else "New",
        "slug": project.slug if project else "new",
        "is_default": "on" if project and project.is_default else None,
        "domains-TOTAL_FORMS": str(len(hosts)),
        "domains-INITIAL_FORMS": "0",
    }
    values |= {f"domains-{nth}-host": host for nth, host in enumerate(hosts)} | changes
    return {name: value for name, value in values.items() if value is not None}


def save(staff: Client, project: Project | None, *hosts: str, **changes: str | None) -> list[str]:
    """What the page complains of; nothing once it is saved."""
    address = f"{LIST}{project.pk}/change/" if project else f"{LIST}add/"
    page = staff.post(address, form(project, *hosts, **changes))
    if page.status_code == 302:
        return []
    context = page.context
    errors = [str(text) for texts in context["adminform"].form.errors.values() for text in texts]
    for inline in context["inline_admin_formsets"]:
        errors += [str(text) for text in inline.formset.non_form_errors()]
        errors += [str(text) for one in inline.formset.errors for texts in one.values() for text in texts]
    return errors


def messages_of(page: Any) -> str:
    return " ".join(str(message) for message in page.context["messages"])


def act(client: Client, action: str, *rows: Project) -> Any:
    return client.post(
        LIST, {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True
    )
