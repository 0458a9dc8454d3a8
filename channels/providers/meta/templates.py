"""The second step of a sender's set-up: its authentication template in each language, made, worded and reviewed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from channels.base import SenderConfig
from channels.findings import Finding, TemplateSeen, fail, ok, warn
from channels.provider_settings import TEMPLATE_MINUTES
from channels.providers.meta import account, graph
from channels.providers.meta.account import Template, Templates
from channels.providers.meta.graph import word
from channels.providers.meta.settings import MetaSettings
from channels.setup import Preview, Surroundings
from channels.types import FailureReason
from core.http import HttpClient

# Of a template's states that cannot be sent these are about its quality; the others are as good as no template.
_PAUSED = frozenset({"PAUSED", "DISABLED", "LIMIT_EXCEEDED"})
_REMEDIES: Mapping[str, str] = {
    "PENDING": "Meta reviews it: wait. This page follows by itself.",
    "IN_APPEAL": "Meta reviews the appeal: wait. This page follows by itself.",
    "PAUSED": "Meta paused it for low quality, for some hours. Messages go in another language meanwhile.",
    "DISABLED": "Meta disabled it for low quality. Make one under another name, and store that name here.",
    "REJECTED": "Correct it in WhatsApp Manager, Message templates, or delete it there and make it here again.",
}
# Meta, "Supported languages". No bare pt, no bare zh; Norwegian is nb, Filipino fil.
_SUPPORTED = """
    af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl nl_BE
    en en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA et fil fi fr
    fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv
    lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR es_CL es_CO es_CR es_DO es_EC
    es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu
"""
LANGUAGES = frozenset(_SUPPORTED.split())


def check(sender: SenderConfig[MetaSettings], _around: Surroundings, client: HttpClient) -> Iterator[Finding]:
    """A finding for each language of the sender, with what it tells of the template."""
    if not sender.settings.business_account_id:
        yield warn("no WhatsApp Business Account ID: templates cannot be checked", "Store the ID.")
        return
    templates = account.templates(sender, client)
    if templates.problem:
        yield _unreadable(templates)
        return
    for language in sender.settings.template_languages:
        yield _language(sender.settings.template_name, language, templates)


def _unreadable(templates: Templates) -> Finding:
    reply, text = templates.reply, f"templates cannot be read: {templates.reply.why or templates.problem}"
    if reply.is_token_refused:
        return fail(text, "Store a valid access token: see Connect.")
    if reply.is_not_there:
        return fail(text, "Store the right WhatsApp Business Account ID: see Connect.")
    return fail(text, "Give the token whatsapp_business_management.")


def _language(name: str, language: str, templates: Templates) -> Finding:
    template = templates.by_language.get(language)
    if template is None:
        return _missing(name, language, templates)
    seen = TemplateSeen(language=language, reason=None, minutes=template.minutes)
    if template.status != "APPROVED":
        reason = (
            FailureReason.TEMPLATE_PAUSED if template.status in _PAUSED else FailureReason.TEMPLATE_MISSING
        )
        why = f" ({template.reason})" if template.reason else ""
        text = f"template {name} in {language} is {template.status}{why}"
        finding = fail(text, _REMEDIES.get(template.status, "Wait for approval or use another."))
        return replace(finding, template=replace(seen, reason=reason, word=template.status))
    if template.category != "AUTHENTICATION":
        text = f"template {name} in {language} is {template.category}"
        return replace(fail(text, "Use an authentication template."), template=seen)
    return replace(_content(name, language, template), template=seen)


def _missing(name: str, language: str, templates: Templates) -> Finding:
    others = ", ".join(sorted(templates.by_language)[:5])
    finding = fail(
        f"template {name} does not exist in {language}"
        if others
        else f"template {name} does not exist in {language}, nor in any other",
        f"Create it in this language, or remove the language here. It exists in: {others}."
        if others
        else "Create it here, or store the name that it has in WhatsApp Manager.",
    )
    if not templates.is_complete:
        return replace(finding, text=f"template {name} does not exist in {language}")
    seen = TemplateSeen(language=language, reason=FailureReason.TEMPLATE_MISSING, word="MISSING")
    return replace(finding, template=seen)


def _content(name: str, language: str, template: Template) -> Finding:
    """What an approved template says: copy-code button, the security line, how long the code lives."""
    lacking = []
    if template.button not in (None, "COPY_CODE"):
        lacking.append(f"its button is {template.button}, not Copy code")
    if template.advice is False:
        lacking.append("it does not say to keep the code secret")
    if template.advice is not None and template.minutes is None:
        lacking.append("it does not say how long the code lives")
    if lacking:
        return warn(
            f"template {name} in {language} is approved, but {' and '.join(lacking)}",
            f"Edit it: copy code, security recommendation, {TEMPLATE_MINUTES} minutes.",
        )
    minutes = f", {template.minutes} minutes" if template.minutes and template.advice is not None else ""
    return ok(f"template {name} in {language} is approved{minutes}")


# Making and wording -----------------------------------------------------------------------------------


def create(
    sender: SenderConfig[MetaSettings], languages: Sequence[str], client: HttpClient
) -> Iterator[Finding]:
    """Makes the template where it does not exist yet, in one call. Meta would overwrite one that does."""
    known = account.templates(sender, client)
    if known.problem:
        yield _unreadable(known)
        return
    if not known.is_complete:
        yield fail(
            "Meta lists more templates than are read here: one that exists might be overwritten",
            "Make it in WhatsApp Manager, Manage templates.",
        )
        return
    missing = [language for language in languages if language not in known.by_language]
    for language in languages:
        if language not in missing:
            yield ok(f"template in {language} exists: {known.by_language[language].status}")
    if missing:
        yield from _made(sender, missing, client)


def _made(
    sender: SenderConfig[MetaSettings], languages: Sequence[str], client: HttpClient
) -> Iterator[Finding]:
    payload = {
        "name": sender.settings.template_name,
        "category": "AUTHENTICATION",
        "languages": list(languages),
        "components": [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": TEMPLATE_MINUTES},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE"}]},
        ],
    }
    path = f"{sender.settings.business_account_id}/upsert_message_templates"
    reply = graph.post(client, sender, path, payload)
    if reply.problem:
        yield fail(
            f"Meta did not make the templates: {reply.why}",
            "Give the system user Message templates (view and manage), and the token whatsapp_business_management.",
        )
        return
    made = {word(item, "language"): word(item, "status") for item in reply.items}
    for language in languages:
        status = made.get(language) or "asked for"
        text = f"template in {language}: {status}"
        is_refused = status == "REJECTED" or status in _PAUSED
        yield fail(text, _REMEDIES.get(status, "Use another template.")) if is_refused else ok(text)


def previews(
    sender: SenderConfig[MetaSettings], languages: Sequence[str], client: HttpClient
) -> list[Preview]:
    """Meta's wording in these languages; none when Meta does not tell."""
    query = {
        "category": "AUTHENTICATION",
        "languages": ",".join(languages),
        "language": ",".join(languages),  # Meta's page names it both ways
        "add_security_recommendation": "true",
        "code_expiration_minutes": str(TEMPLATE_MINUTES),
        "button_types": "OTP",
    }
    path = f"{sender.settings.business_account_id}/message_template_previews"
    return [
        Preview(
            language=word(item, "language"),
            body=word(item, "body"),
            footer=word(item, "footer"),
            button=_button(item.get("buttons")),
        )
        for item in graph.get(client, sender, path, query).items
    ]


def _button(buttons: object) -> str:
    """What is written on the first one; "": nothing is."""
    parts = buttons if isinstance(buttons, list) else ()
    return next((word(part, "text") for part in parts if isinstance(part, dict)), "")
