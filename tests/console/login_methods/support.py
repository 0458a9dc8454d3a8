"""The login methods form as a browser posts it."""

from typing import Any

from django.test import Client

from projects.models import LoginMethods


def methods_form(client: Client, **changes: object) -> dict[str, object]:
    """What the login methods form posts, with changes."""
    row = LoginMethods.objects.get(project__slug="acme")
    values: dict[str, object] = {
        name: getattr(row, name)
        for name in (
            "identifier", "authentication", "verify_phone_by", "otp_length", "otp_valid_seconds",
            "resend_after_seconds", "max_attempts", "fallback_wait_seconds",
        )
    }  # fmt: skip
    values |= {"fallback_enabled": "on", "all_countries": "on"}
    return {name: value for name, value in (values | changes).items() if value is not None}


def save_methods(client: Client, **changes: object) -> list[str]:
    """Post the form: the errors it comes back with, none when it was saved."""
    row = LoginMethods.objects.get(project__slug="acme")
    answer = client.post(f"/admin/projects/loginmethods/{row.pk}/change/", methods_form(client, **changes))
    if answer.status_code == 302:
        return []
    errors = answer.context["adminform"].form.errors
    return [str(message) for messages in errors.values() for message in messages]


def routes_form(*rows: dict[str, Any]) -> dict[str, object]:
    """The rows of the tab Routing."""
    form: dict[str, object] = {
        "routing-TOTAL_FORMS": len(rows),
        "routing-INITIAL_FORMS": 0,
        "routing-MIN_NUM_FORMS": 0,
        "routing-MAX_NUM_FORMS": 100,
    }
    for number, row in enumerate(rows):
        form |= {
            f"routing-{number}-{name}": value for name, value in ({"order": "whatsapp sms"} | row).items()
        }
    return form


def page_of(client: Client) -> str:
    row = LoginMethods.objects.get(project__slug="acme")
    return client.get(f"/admin/projects/loginmethods/{row.pk}/change/").content.decode()
