"""The form of New project, and what it says."""

import html
from typing import Any

from django.test import Client

NEW = "/admin/projects/project/add/"


def filled(**changes: Any) -> dict[str, Any]:
    """What is posted; a change of None leaves the field out."""
    values: dict[str, Any] = {
        "name": "Acme Shop",
        "domain": "login.acme.example",
        "countries": ["HK", "GB"],
        "verify_phone_by": "whatsapp_or_sms",
        "kind": "server",
        "redirect_uris": "https://acme.example/callback",
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def post(client: Client, **changes: Any) -> Any:
    return client.post(NEW, filled(**changes), follow=True)


def errors_of(page: Any) -> dict[str, list[str]]:
    form = page.context["form"]
    return {name: [str(text) for text in texts] for name, texts in form.errors.items()}


def words_of(page: Any) -> str:
    return html.unescape(page.content.decode())
