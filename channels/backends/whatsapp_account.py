"""What Meta knows of a WhatsApp Business account: its number, its templates, who gets its reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from channels import http
from channels.backends.whatsapp import error_code
from channels.base import SenderConfig

# Meta filters templates by parts of names; more than this many alike are not looked through.
_MOST_TEMPLATES = 200


@dataclass(frozen=True, kw_only=True)
class Number:
    """`problem` is empty when the token may use the number. Words are Meta's ("CONNECTED", "GREEN")."""

    problem: str = ""
    name: str = ""
    status: str = ""
    quality: str = ""
    can_send: str = ""
    date: str = ""


@dataclass(frozen=True, kw_only=True)
class Template:
    status: str
    category: str


@dataclass(frozen=True, kw_only=True)
class Templates:
    problem: str = ""
    by_language: Mapping[str, Template] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    problem: str = ""
    apps: int = 0
    override: str = ""  # where reports go instead of the app's own address


def phone_number(sender: SenderConfig, client: http.HttpClient) -> Number:
    """Meta, "Phone Numbers". Raises AnswerLost, SendError when Meta cannot be reached."""
    fields = "verified_name,quality_rating,status,health_status"
    answer, body, problem = _get(client, sender, sender.phone_number_id, {"fields": fields})
    if problem:
        return Number(problem=problem, date=answer.date)
    health = body.get("health_status")
    return Number(
        name=_word(body, "verified_name"),
        status=_word(body, "status"),
        quality=_word(body, "quality_rating"),
        can_send=_word(health, "can_send_message") if isinstance(health, dict) else "",
        date=answer.date,
    )


def templates(sender: SenderConfig, client: http.HttpClient) -> Templates:
    """The sender's template by language. Meta, "Template Management"."""
    query = {
        "name": sender.template_name,
        "fields": "name,language,status,category",
        "limit": str(_MOST_TEMPLATES),
    }
    _, body, problem = _get(client, sender, f"{sender.business_account_id}/message_templates", query)
    if problem:
        return Templates(problem=problem)
    return Templates(
        by_language={
            _word(item, "language"): Template(status=_word(item, "status"), category=_word(item, "category"))
            for item in _items(body)
            if item.get("name") == sender.template_name
        }
    )


def subscriptions(sender: SenderConfig, client: http.HttpClient) -> Subscriptions:
    """Which apps get the account's reports. Meta, "Subscribed Apps"."""
    _, body, problem = _get(client, sender, f"{sender.business_account_id}/subscribed_apps", {})
    if problem:
        return Subscriptions(problem=problem)
    items = _items(body)
    overrides = [found for item in items if (found := _word(item, "override_callback_uri"))]
    return Subscriptions(apps=len(items), override=overrides[0] if overrides else "")


def _get(
    client: http.HttpClient, sender: SenderConfig, path: str, query: Mapping[str, str]
) -> tuple[http.Answer, Mapping[str, Any], str]:
    """The answer, its body, and what Meta has against the question ("" when it answered)."""
    if not sender.phone_number_id or not sender.access_token:
        return http.Answer(status=0, body=b""), {}, "phone number ID or access token is empty"
    url = f"{settings.WHATSAPP_API_URL}/{quote(path)}{'?' if query else ''}{urlencode(query)}"
    answer = client.get(url, headers={"Authorization": f"Bearer {sender.access_token}"})
    body = answer.json_object() or {}
    error = body.get("error")
    if isinstance(error, dict):
        code = error_code(error)
        return answer, body, f"error {code}" if code is not None else f"HTTP {answer.status}"
    if not answer.is_taken or not body:
        return answer, body, f"HTTP {answer.status}"
    return answer, body, ""


def _items(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = body.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _word(item: Mapping[str, Any], name: str) -> str:
    found = item.get(name)
    return found if isinstance(found, str) else ""
