"""What Meta knows of a WhatsApp Business account: its number, its templates, who gets its reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from channels.base import SenderConfig
from channels.providers.meta import graph
from channels.providers.meta.graph import Reply, word
from channels.providers.meta.settings import MetaSettings
from core import http

# Meta filters templates by parts of names, and an answer is cut off at 64 KiB: pages of this size, and so many at most.
_TEMPLATES_ON_A_PAGE = 20
_MOST_PAGES = 20
_NUMBER_FIELDS = (
    "display_phone_number,verified_name,quality_rating,status,code_verification_status,name_status,throughput,"
    "whatsapp_business_manager_messaging_limit,health_status"
)


@dataclass(frozen=True, kw_only=True)
class Number:
    """`problem` is empty when the token may use the number. Words are Meta's ("CONNECTED", "GREEN")."""

    problem: str = ""
    name: str = ""
    display: str = ""
    status: str = ""
    quality: str = ""
    code_verification: str = ""
    name_status: str = ""
    limit: str = ""
    throughput: str = ""
    can_send: str = ""
    date: str = ""
    troubles: tuple[tuple[str, str], ...] = ()  # what Meta has against sending, and its advice
    reply: Reply = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, kw_only=True)
class Template:
    """`button` is COPY_CODE, ONE_TAP or ZERO_TAP; `advice`: it says not to share the code. None: not told."""

    status: str
    category: str
    minutes: int | None = None  # how long a code lives, as the message says; None: it does not say
    button: str | None = None
    advice: bool | None = None
    reason: str = ""  # why it was rejected, in Meta's word


@dataclass(frozen=True, kw_only=True)
class Templates:
    """`is_complete`: no more than these exist."""

    problem: str = ""
    by_language: Mapping[str, Template] = field(default_factory=dict)
    is_complete: bool = True
    reply: Reply = field(default_factory=Reply, compare=False)


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    problem: str = ""
    apps: int = 0
    override: str = ""  # where reports go instead of the app's own address
    reply: Reply = field(default_factory=Reply, compare=False)


def phone_number(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Number:
    """Meta, "Phone Numbers". Raises AnswerLost, SendError when Meta cannot be reached."""
    reply = graph.get(client, sender, sender.settings.phone_number_id, {"fields": _NUMBER_FIELDS})
    body = reply.body
    if reply.problem:
        return Number(problem=reply.problem, date=reply.date, reply=reply)
    health, throughput = _object(body, "health_status"), _object(body, "throughput")
    return Number(
        name=word(body, "verified_name"),
        display=word(body, "display_phone_number"),
        status=word(body, "status"),
        quality=word(body, "quality_rating"),
        code_verification=word(body, "code_verification_status"),
        name_status=word(body, "name_status"),
        limit=word(body, "whatsapp_business_manager_messaging_limit"),
        throughput=word(throughput, "level"),
        can_send=word(health, "can_send_message"),
        troubles=_troubles(health),
        date=reply.date,
        reply=reply,
    )


def _troubles(health: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The errors of the number, its account, its business and its app. Meta, "Messaging Health Status"."""
    troubles: list[tuple[str, str]] = []
    entities = health.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        errors = entity.get("errors") if isinstance(entity, dict) else None
        for error in errors if isinstance(errors, list) else ():
            if isinstance(error, dict) and (text := word(error, "error_description")):
                place = word(entity, "entity_type") or "account"
                troubles.append((f"{place}: {text}"[:300], word(error, "possible_solution")[:300]))
    return tuple(troubles[:5])


def numbers(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> tuple[Reply, dict[str, str]]:
    """The account's phone number IDs, each with the number as people read it."""
    path = f"{sender.settings.business_account_id}/phone_numbers"
    reply = graph.get(client, sender, path, {"fields": "id,display_phone_number", "limit": "50"})
    return reply, {word(item, "id"): word(item, "display_phone_number") for item in reply.items}


def callback_urls(
    sender: SenderConfig[MetaSettings], client: http.HttpClient
) -> tuple[Reply, dict[str, str]]:
    """Where Meta posts what is about the number: `application`, unless account or number have another."""
    reply = graph.get(client, sender, sender.settings.phone_number_id, {"fields": "webhook_configuration"})
    urls = _object(reply.body, "webhook_configuration")
    return reply, {name: word(urls, name) for name in urls}


def templates(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Templates:
    """The sender's template by language. Meta, "Template Management"."""
    path, by_language = f"{sender.settings.business_account_id}/message_templates", dict[str, Template]()
    query = {
        "name": sender.settings.template_name,
        "fields": "name,language,status,category,components,rejected_reason",
        "limit": str(_TEMPLATES_ON_A_PAGE),
    }
    for _ in range(_MOST_PAGES):
        reply = graph.get(client, sender, path, query)
        if reply.problem:
            return Templates(problem=reply.problem, reply=reply)
        by_language |= {
            word(item, "language"): _template(item)
            for item in reply.items
            if item.get("name") == sender.settings.template_name
        }
        following = _next_page(reply.body)
        if not following:
            return Templates(by_language=by_language)
        query |= {"after": following}
    return Templates(by_language=by_language, is_complete=False)


def _template(item: Mapping[str, Any]) -> Template:
    components = item.get("components")
    kinds = {
        word(part, "type").upper(): part
        for part in (components if isinstance(components, list) else ())
        if isinstance(part, dict)
    }
    advice = kinds.get("BODY", {}).get("add_security_recommendation")
    reason = word(item, "rejected_reason")
    return Template(
        status=word(item, "status"),
        category=word(item, "category"),
        minutes=_minutes(components),
        button=_button(components),
        advice=advice if isinstance(advice, bool) else None,
        reason="" if reason == "NONE" else reason[:40],
    )


def _addresses(components: object) -> list[dict[str, list[str]]]:
    """The parameters of the buttons' addresses: the one-time-code button reads back as a link."""
    queries = []
    for component in components if isinstance(components, list) else ():
        buttons = component.get("buttons") if isinstance(component, dict) else None
        for button in buttons if isinstance(buttons, list) else ():
            address = word(button, "url") if isinstance(button, dict) else ""
            queries.append(parse_qs(address.partition("?")[2].partition("#")[0]))  # of any text
    return queries


def _button(components: object) -> str | None:
    return next((query["otp_type"][0][:20] for query in _addresses(components) if "otp_type" in query), None)


def _minutes(components: object) -> int | None:
    """`code_expiration_minutes` of the footer; the one-time-code button repeats it in its address."""
    for component in components if isinstance(components, list) else ():
        minutes = component.get("code_expiration_minutes") if isinstance(component, dict) else None
        if isinstance(minutes, int) and not isinstance(minutes, bool):
            return minutes
    texts: Sequence[str] = [query.get("code_expiration_minutes", [""])[0] for query in _addresses(components)]
    return next((int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 4), None)


def _next_page(body: Mapping[str, Any]) -> str:
    """The cursor of the next page, "" when this is the last one."""
    paging = body.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return ""
    cursors = paging.get("cursors")
    return word(cursors, "after") if isinstance(cursors, dict) else ""


def subscriptions(sender: SenderConfig[MetaSettings], client: http.HttpClient) -> Subscriptions:
    """Which apps get the account's reports. Meta, "Subscribed Apps"."""
    reply = graph.get(client, sender, f"{sender.settings.business_account_id}/subscribed_apps", {})
    if reply.problem:
        return Subscriptions(problem=reply.problem, reply=reply)
    overrides = [url for item in reply.items if (url := word(item, "override_callback_uri"))]
    return Subscriptions(apps=len(reply.items), override=overrides[0] if overrides else "", reply=reply)


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}
