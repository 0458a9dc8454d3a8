"""The third step of a sender's set-up: Meta's reports reach our address, and this sender."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode

from channels import own_address
from channels.base import SenderConfig
from channels.findings import Finding, fail, ok, warn
from channels.provider import Question
from channels.providers.meta import account, graph
from channels.providers.meta.connect import secrets_missing
from channels.providers.meta.settings import CALLBACK_PATH, MetaSettings
from channels.setup import Surroundings
from core.hosts import origin_of_url, read_origin
from core.http import HttpClient


def check(sender: SenderConfig[MetaSettings], around: Surroundings, client: HttpClient) -> Iterator[Finding]:
    """Our own address first: it needs nothing of Meta."""
    yield from own_address.ask_with(around.public_url, client, partial(callback, sender))
    if not sender.settings.business_account_id:
        yield warn("no WhatsApp Business Account ID: the subscription cannot be checked", "Store the ID.")
        return
    yield from subscription(sender, around.public_url, client)
    yield from _entered_address(sender, around.public_url, client)


def subscription(
    sender: SenderConfig[MetaSettings], public_url: str, client: HttpClient
) -> Iterator[Finding]:
    subscriptions = account.subscriptions(sender, client)
    override = subscriptions.override
    if subscriptions.problem:
        yield fail(
            f"the webhook's subscription cannot be read: {subscriptions.reply.why or subscriptions.problem}",
            "Check the token's permissions.",
        )
    elif not subscriptions.apps:
        yield fail(
            "no app is subscribed to this account: no delivery report will come",
            "Press Subscribe on the sender's set-up page, and subscribe the app to the field messages at Meta.",
        )
    elif override and public_url and origin_of_url(override) != read_origin(public_url):
        yield fail(
            "reports go to another address (override_callback_uri)", "Remove the override, or correct it."
        )
    else:
        yield ok("an app is subscribed to delivery reports")


def _entered_address(
    sender: SenderConfig[MetaSettings], public_url: str, client: HttpClient
) -> Iterator[Finding]:
    """The address that was entered at Meta, as the number's `webhook_configuration` has it. Nothing where Meta does not
    tell it."""
    reply, urls = account.callback_urls(sender, client)
    if reply.problem or "application" not in urls:
        return
    used = urls.get("phone_number") or urls.get("whatsapp_business_account") or urls["application"]
    ours = f"{public_url}{CALLBACK_PATH}"
    if not used:
        yield fail("no callback URL is entered at Meta", f"Enter {ours} there: WhatsApp, Configuration.")
    elif public_url and used.rstrip("/") != ours:
        yield fail(
            f"Meta posts its reports to {used[:200]}, and not to {ours}",
            "Enter our address at Meta (WhatsApp, Configuration), with the verify token.",
        )
    elif public_url:
        yield ok("Meta posts its reports to our address")


def callback(sender: SenderConfig[MetaSettings], ask: Question) -> Iterator[Finding]:
    """Our own webhook, asked as Meta does when its address is entered."""
    if secrets_missing(sender):
        yield fail(
            "a WhatsApp sender has no verify token or app secret", "Without them no report is believed."
        )
        return
    token = sender.settings.verify_token.get_secret_value()
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "doctor"}
    status, text = ask(f"{CALLBACK_PATH}?{urlencode(query)}")
    if (status, text) == (200, "doctor"):
        yield ok(f"{CALLBACK_PATH} answers Meta's verification")
    else:
        yield fail(f"{CALLBACK_PATH} answers {status}", "The proxy must pass it on untouched.")


def subscribe(sender: SenderConfig[MetaSettings], client: HttpClient) -> Iterator[Finding]:
    """Subscribes the token's app to the account. Meta, "Subscribed Apps"."""
    reply = graph.post(client, sender, f"{sender.settings.business_account_id}/subscribed_apps", {})
    if reply.problem:
        yield fail(
            f"Meta did not subscribe the app: {reply.why}",
            "Assign app and WhatsApp account to the system user, and give the token whatsapp_business_management.",
        )
    else:
        yield ok("the app is subscribed to this account")
