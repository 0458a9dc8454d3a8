"""Questions to a provider about a sender: do its credentials, number, template and webhook work? Sends no message."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from django.utils import timezone

from channels import http
from channels.backends import twilio_account, whatsapp_account
from channels.base import SenderConfig
from channels.errors import SendError
from channels.types import Provider


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # works, but somebody should look
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of a check. `remedy` says what to do, for all that is not OK."""

    level: Level
    text: str
    remedy: str = ""


def ok(text: str) -> Finding:
    return Finding(level=Level.OK, text=text)


def warn(text: str, remedy: str) -> Finding:
    return Finding(level=Level.WARN, text=text, remedy=remedy)


def fail(text: str, remedy: str) -> Finding:
    return Finding(level=Level.FAIL, text=text, remedy=remedy)


# A clock further off than this breaks signatures, codes and cookies.
_CLOCK_SECONDS = 10.0


def check_sender(
    sender: SenderConfig, *, public_url: str, client: http.HttpClient | None = None
) -> list[Finding]:
    """All that its provider can tell of it. `public_url`: our origin, "" when unknown. Never raises for the network."""
    asking = client or http.shared()
    match sender.provider:
        case Provider.META:
            return list(_guarded(whatsapp(sender, public_url, asking)))
        case Provider.TWILIO:
            return list(_guarded(twilio(sender, public_url, asking)))
        case Provider.HTTP:
            return list(gateway(sender))
    return [
        warn(f"{sender.provider}: prints or keeps messages, sends none", "Use a real provider in production.")
    ]


def _guarded(findings: Iterator[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except (SendError, http.AnswerLost) as error:
        yield fail(
            f"the provider cannot be reached: {error}", "Check DNS, firewall and proxy of this machine."
        )


def whatsapp(sender: SenderConfig, public_url: str, client: http.HttpClient) -> Iterator[Finding]:
    """Token and number, then template, then subscription; a token that does not work ends it."""
    number = whatsapp_account.phone_number(sender, client)
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
    yield from _template(sender, client)
    yield from _subscription(sender, public_url, client)


def _template(sender: SenderConfig, client: http.HttpClient) -> Iterator[Finding]:
    if not sender.business_account_id:
        yield warn("no WhatsApp Business Account ID: template and webhook cannot be checked", "Store the ID.")
        return
    found = whatsapp_account.templates(sender, client)
    if found.problem:
        yield fail(
            f"templates cannot be read: {found.problem}", "Give the token whatsapp_business_management."
        )
        return
    name = sender.template_name
    for language in sender.template_languages:
        template = found.by_language.get(language)
        if template is None:
            yield fail(
                f"template {name} does not exist in {language}", "Create it, or remove the language here."
            )
        elif template.status != "APPROVED":
            yield fail(
                f"template {name} in {language} is {template.status}", "Wait for approval or use another."
            )
        elif template.category != "AUTHENTICATION":
            yield fail(
                f"template {name} in {language} is {template.category}", "Use an authentication template."
            )
        else:
            yield ok(f"template {name} in {language} is approved")


def _subscription(sender: SenderConfig, public_url: str, client: http.HttpClient) -> Iterator[Finding]:
    if not sender.business_account_id:
        return
    found = whatsapp_account.subscriptions(sender, client)
    if found.problem:
        yield fail(
            f"the webhook's subscription cannot be read: {found.problem}", "Check the token's permissions."
        )
    elif not found.apps:
        yield fail(
            "no app is subscribed to this account: no delivery report will come",
            "POST {business account}/subscribed_apps with the app's token, and subscribe to the field messages.",
        )
    elif found.override and public_url and not found.override.startswith(public_url):
        yield fail(
            "reports go to another address (override_callback_uri)", "Remove the override, or correct it."
        )
    else:
        yield ok("an app is subscribed to delivery reports")


def twilio(sender: SenderConfig, public_url: str, client: http.HttpClient) -> Iterator[Finding]:
    account = twilio_account.account(sender, client)
    yield from clock(account.date)
    if account.problem:
        yield fail(
            f"Twilio refuses it: {account.problem}", "Store the account SID with its current auth token."
        )
        return
    if account.status != "active":
        yield fail(f"the account is {account.status}", "Twilio's console says why.")
    elif account.kind == "Trial":
        yield warn("a trial account: only verified numbers get SMS", "Upgrade the account.")
    else:
        yield ok("credentials work, the account is active")
    if not public_url:
        yield warn("AUTHSVC_PUBLIC_URL is not set: reports come to the address people use", "Set it.")


def gateway(sender: SenderConfig) -> Iterator[Finding]:
    if not sender.url.startswith("https://"):
        yield warn(
            "the gateway is called without TLS: codes are readable on the way", "Use an https address."
        )
    yield ok("configured; only a message shows whether it works: manage.py send_test_code")


def clock(date: str, *, now: datetime | None = None) -> Iterator[Finding]:
    """A finding when the provider's clock (an HTTP Date header) and ours differ."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return  # no date, nothing to compare
    seconds = ((now or timezone.now()) - theirs).total_seconds()
    if abs(seconds) > _CLOCK_SECONDS:
        yield fail(
            f"this machine's clock is {seconds:+.0f} s off the provider's", "Run a time service (chrony)."
        )
