"""What Meta says of a sender's number, template and subscription, for the doctor."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from channels.base import SenderConfig
from channels.findings import Finding, TemplateSeen, clock, fail, ok, warn
from channels.provider import Question
from channels.providers.meta import account
from channels.providers.meta.settings import CALLBACK_PATH, MetaSettings
from channels.types import FailureReason
from core.hosts import origin_of_url, read_origin
from core.http import HttpClient


def check(sender: SenderConfig[MetaSettings], public_url: str, client: HttpClient) -> Iterator[Finding]:
    """Token and number, then template, then subscription; a token that does not work ends it."""
    number = account.phone_number(sender, client)
    yield from clock(number.date)
    if number.problem:
        yield fail(f"Meta refuses it: {number.problem}", "Store a valid token and the phone number's own ID.")
        return
    yield ok(f"token works for the number of {number.name or 'this account'}")
    if number.status not in ("", "CONNECTED"):
        yield fail(f"the number is {number.status}", "Register it with the Cloud API in WhatsApp Manager.")
    if number.can_send in ("BLOCKED", "LIMITED"):
        level = fail if number.can_send == "BLOCKED" else warn
        yield level(
            f"Meta says it is {number.can_send} in sending", "WhatsApp Manager says why: payment, limits."
        )
    if number.quality == "RED":
        yield warn("the quality rating is RED", "Look at who blocks or reports the messages.")
    if not sender.settings.business_account_id:
        yield warn("no WhatsApp Business Account ID: template and webhook cannot be checked", "Store the ID.")
        return
    yield from _template(sender, client)
    yield from _subscription(sender, public_url, client)


def _template(sender: SenderConfig[MetaSettings], client: HttpClient) -> Iterator[Finding]:
    templates = account.templates(sender, client)
    if templates.problem:
        yield fail(
            f"templates cannot be read: {templates.problem}", "Give the token whatsapp_business_management."
        )
        return
    for language in sender.settings.template_languages:
        yield _language(
            sender.settings.template_name,
            language,
            templates.by_language.get(language),
            templates.is_complete,
        )


# Of a template's states that cannot be sent these are about its quality; the others are as good as no template.
_PAUSED = frozenset({"PAUSED", "DISABLED", "LIMIT_EXCEEDED"})


def _language(name: str, language: str, template: account.Template | None, is_complete: bool) -> Finding:
    if template is None:
        seen = TemplateSeen(language=language, reason=FailureReason.TEMPLATE_MISSING, word="MISSING")
        finding = fail(
            f"template {name} does not exist in {language}", "Create it, or remove the language here."
        )
        return replace(finding, template=seen if is_complete else None)
    seen = TemplateSeen(language=language, reason=None, minutes=template.minutes)
    if template.status != "APPROVED":
        reason = (
            FailureReason.TEMPLATE_PAUSED if template.status in _PAUSED else FailureReason.TEMPLATE_MISSING
        )
        text = f"template {name} in {language} is {template.status}"
        finding = fail(text, "Wait for approval or use another.")
        return replace(finding, template=replace(seen, reason=reason, word=template.status))
    if template.category != "AUTHENTICATION":
        text = f"template {name} in {language} is {template.category}"
        return replace(fail(text, "Use an authentication template."), template=seen)
    return replace(ok(f"template {name} in {language} is approved"), template=seen)


def _subscription(
    sender: SenderConfig[MetaSettings], public_url: str, client: HttpClient
) -> Iterator[Finding]:
    subscriptions = account.subscriptions(sender, client)
    override = subscriptions.override
    if subscriptions.problem:
        yield fail(
            f"the webhook's subscription cannot be read: {subscriptions.problem}",
            "Check the token's permissions.",
        )
    elif not subscriptions.apps:
        yield fail(
            "no app is subscribed to this account: no delivery report will come",
            "POST {business account}/subscribed_apps with the app's token, and subscribe to the field messages.",
        )
    elif override and public_url and origin_of_url(override) != read_origin(public_url):
        yield fail(
            "reports go to another address (override_callback_uri)", "Remove the override, or correct it."
        )
    else:
        yield ok("an app is subscribed to delivery reports")


def callback(sender: SenderConfig[MetaSettings], ask: Question) -> Iterator[Finding]:
    """Our own webhook, asked as Meta does when its address is entered."""
    token = sender.settings.verify_token.get_secret_value()
    if not token or not sender.settings.app_secrets:
        yield fail(
            "a WhatsApp sender has no verify token or app secret", "Without them no report is believed."
        )
        return
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "doctor"}
    status, text = ask(f"{CALLBACK_PATH}?{urlencode(query)}")
    if (status, text) == (200, "doctor"):
        yield ok(f"{CALLBACK_PATH} answers Meta's verification")
    else:
        yield fail(f"{CALLBACK_PATH} answers {status}", "The proxy must pass it on untouched.")
