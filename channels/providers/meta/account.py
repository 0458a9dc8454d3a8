"""What Meta knows of a WhatsApp Business account: its number, its templates, who gets its reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from channels import calls
from channels.base import SenderConfig
from channels.providers.meta.codes import error_code
from channels.providers.meta.settings import API, MetaSettings
from core import http

# Meta filters templates by parts of names, and an answer is cut off at 64 KiB: pages of this size, and so many at most.
_TEMPLATES_ON_A_PAGE = 20
_MOST_PAGES = 20


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
    minutes: int | None = None  # how long a code lives, as the message says; None: it does not say


@dataclass(frozen=True, kw_only=True)
class Templates:
    """`is_complete`: no more than these exist."""

    problem: str = ""
    by_language: Mapping[str, Template] = field(default_factory=dict)
    is_complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    problem: str = ""
    apps: int = 0
    override: str = ""  # where reports go instead of the app's own address


def phone_number(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Number:
    """Meta, "Phone Numbers". Raises AnswerLost, SendError when Meta cannot be reached."""
    fields = "verified_name,quality_rating,status,health_status"
    answer, body, problem = _get(client, sender, sender.settings.phone_number_id, {"fields": fields})
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


def templates(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Templates:
    """The sender's template by language. Meta, "Template Management"."""
    path, by_language = f"{sender.settings.business_account_id}/message_templates", dict[str, Template]()
    query = {
        "name": sender.settings.template_name,
        "fields": "name,language,status,category,components",
        "limit": str(_TEMPLATES_ON_A_PAGE),
    }
    for _ in range(_MOST_PAGES):
        _, body, problem = _get(client, sender, path, query)
        if problem:
            return Templates(problem=problem)
        by_language |= {
            _word(item, "language"): _template(item)
            for item in _items(body)
            if item.get("name") == sender.settings.template_name
        }
        following = _next_page(body)
        if not following:
            return Templates(by_language=by_language)
        query |= {"after": following}
    return Templates(by_language=by_language, is_complete=False)


def _template(item: Mapping[str, Any]) -> Template:
    return Template(
        status=_word(item, "status"),
        category=_word(item, "category"),
        minutes=_minutes(item.get("components")),
    )


def _minutes(components: object) -> int | None:
    """`code_expiration_minutes` of the footer; the one-time-code button repeats it in its address."""
    for component in components if isinstance(components, list) else ():
        if not isinstance(component, dict):
            continue
        minutes = component.get("code_expiration_minutes")
        if isinstance(minutes, int) and not isinstance(minutes, bool):
            return minutes
        buttons = component.get("buttons")
        for button in buttons if isinstance(buttons, list) else ():
            address = _word(button, "url") if isinstance(button, dict) else ""
            query = address.partition("?")[2].partition("#")[0]  # of any text, be it an address or not
            minutes_text = parse_qs(query).get("code_expiration_minutes", [""])[0]
            if minutes_text.isascii() and minutes_text.isdigit() and len(minutes_text) < 4:
                return int(minutes_text)
    return None


def _next_page(body: Mapping[str, Any]) -> str:
    """The cursor of the next page, "" when this is the last one."""
    paging = body.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return _word(cursors, "after") if isinstance(cursors, dict) else ""


def subscriptions(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Subscriptions:
    """Which apps get the account's reports. Meta, "Subscribed Apps"."""
    _, body, problem = _get(client, sender, f"{sender.settings.business_account_id}/subscribed_apps", {})
    if problem:
        return Subscriptions(problem=problem)
    items = _items(body)
    overrides = [word for item in items if (word := _word(item, "override_callback_uri"))]
    return Subscriptions(apps=len(items), override=overrides[0] if overrides else "")


def _get(
    client: http.HttpClient, sender: SenderConfig[MetaSettings], path: str, query: Mapping[str, str]
) -> tuple[http.Answer, Mapping[str, Any], str]:
    """The answer, its body, and what Meta has against the question ("" when it answered)."""
    token = sender.settings.access_token.get_secret_value()
    if not sender.settings.phone_number_id or not token:
        return http.Answer(status=0, body=b""), {}, "phone number ID or access token is empty"
    url = f"{API}/{quote(path)}{'?' if query else ''}{urlencode(query)}"
    answer = calls.get(client, url, headers={"Authorization": f"Bearer {token}"})
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
    value = item.get(name)
    return value if isinstance(value, str) else ""
