"""The first step of a sender's set-up: number, token, app secret and account, as Meta sees them."""

from collections.abc import Generator, Iterator

from channels.base import SenderConfig
from channels.findings import Finding, clock, fail, ok, warn
from channels.provider_settings import tokens as filled
from channels.providers.meta import account, tokens
from channels.providers.meta.account import Number
from channels.providers.meta.settings import MetaSettings
from channels.providers.meta.tokens import Token
from channels.setup import Surroundings
from core.http import HttpClient

_STORE_ANOTHER = (
    "Generate a token for the system user (Business settings, System users), and store it as access token."
)
# What a number may be called without trouble. Others: PENDING_REVIEW, DECLINED, EXPIRED.
_NAMES_WELL = frozenset({"", "APPROVED", "AVAILABLE_WITHOUT_REVIEW", "NONE"})


def connect(
    sender: SenderConfig[MetaSettings], _around: Surroundings, client: HttpClient
) -> Generator[Finding, None, bool]:
    """Gives whether the number can be used: without, the doctor asks nothing more.

    A refused token, or a Meta that is away, ends it here.
    """
    number = account.phone_number(sender, client)
    yield from clock(number.date)
    if number.problem and not number.reply.is_not_there:
        yield _refused(number)
        return False
    token = tokens.read(sender, client)
    yield from _wrong_number(sender, client, number) if number.problem else _number(number)
    yield from tokens.findings(token)
    yield from tokens.app_secret(token, sender, client)
    yield from _account(sender, token, number, client)
    return not number.problem


def check(sender: SenderConfig[MetaSettings], around: Surroundings, client: HttpClient) -> Iterator[Finding]:
    yield from connect(sender, around, client)


def _refused(number: Number) -> Finding:
    if number.reply.is_token_refused:
        return fail(f"Meta refuses the access token: {number.reply.why}", _STORE_ANOTHER)
    return fail(
        f"Meta refuses it: {number.reply.why}",
        "Store a valid token and the phone number's own ID, or wait for Meta.",
    )


def _wrong_number(
    sender: SenderConfig[MetaSettings], client: HttpClient, number: Number
) -> Iterator[Finding]:
    _, known = account.numbers(sender, client) if sender.settings.business_account_id else (None, {})
    listed = ", ".join(f"{id_} ({shown})" for id_, shown in sorted(known.items())[:5])
    yield fail(
        f"Meta does not know the phone number ID {sender.settings.phone_number_id} for this token: {number.reply.why}",
        f"Store the right one. The account has: {listed}."
        if listed
        else "Copy the Phone number ID from the app: WhatsApp, API Setup, under From. It is not the number itself.",
    )


def _number(number: Number) -> Iterator[Finding]:
    shown = f", {number.display}" if number.display else ""
    yield ok(f"token works for the number of {number.name or 'this account'}{shown}")
    if number.status not in ("", "CONNECTED"):
        yield fail(f"the number is {number.status}", "Register it with the Cloud API in WhatsApp Manager.")
    if number.code_verification not in ("", "VERIFIED"):
        yield warn(
            f"the number's own verification is {number.code_verification}",
            "Verify it by code: WhatsApp Manager, Phone numbers.",
        )
    if number.name_status not in _NAMES_WELL:
        yield warn(
            f"the display name is {number.name_status}",
            "Wait for its review, or give another one: WhatsApp Manager, Phone numbers.",
        )
    yield from _sending(number)


def _sending(number: Number) -> Iterator[Finding]:
    level = {"BLOCKED": fail, "LIMITED": warn}.get(number.can_send)
    if level:
        yield level(
            f"Meta says it is {number.can_send} in sending", "WhatsApp Manager says why: payment, limits."
        )
    for text, advice in number.troubles:
        yield (level or warn)(f"Meta says: {text}", advice or "WhatsApp Manager says what to do.")
    if number.quality == "RED":
        yield warn("the quality rating is RED", "Look at who blocks or reports the messages.")
    facts = {"quality": number.quality, "daily limit": number.limit, "throughput": number.throughput}
    if any(facts.values()):
        yield ok(", ".join(f"{name} {value}" for name, value in facts.items() if value))


def _account(
    sender: SenderConfig[MetaSettings], token: Token, number: Number, client: HttpClient
) -> Iterator[Finding]:
    account_id = sender.settings.business_account_id
    if not account_id:
        yield warn("no WhatsApp Business Account ID: template and webhook cannot be checked", "Store the ID.")
        return
    reply, known = account.numbers(sender, client)
    if reply.problem:
        usable = [item for item in token.accounts if item != account_id]
        yield fail(
            f"Meta does not know the WhatsApp Business Account ID {account_id} for this token: {reply.why}"
            if reply.is_not_there
            else f"the WhatsApp Business account cannot be read: {reply.why}",
            f"Store the right one. The token may use: {', '.join(usable[:5])}."
            if usable
            else "Copy it from the app (WhatsApp, API Setup), and assign the account to the system user.",
        )
    elif not number.problem and known and sender.settings.phone_number_id not in known:
        listed = ", ".join(f"{id_} ({shown})" for id_, shown in sorted(known.items())[:5])
        yield fail(
            f"the number is not one of the account {account_id}",
            f"Store number and account that belong together. This account has: {listed}.",
        )
    elif known:
        yield ok(f"the number belongs to the account {account_id}")


def secrets_missing(sender: SenderConfig[MetaSettings]) -> bool:
    """Whether no report could be believed, and no verification answered."""
    settings = sender.settings
    return not filled(settings.verify_token) or not settings.app_secrets
